#include "kernels/bf16.h"

#include "kernels/dispatch.h"
#include "kernels/vector.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t round_up(size_t n)
{
    return (n + ENG_CHANNEL_BLOCK - 1) / ENG_CHANNEL_BLOCK * ENG_CHANNEL_BLOCK;
}

size_t eng_bf16_packed_count(size_t n_taps, size_t depth, size_t n_columns)
{
    return n_taps * depth * round_up(n_columns);
}

void eng_bf16_pack(size_t n_taps, size_t depth, size_t n_columns, const struct eng_bf16_weights *w,
                   uint16_t *packed)
{
    const struct eng_bf16_kernels *kernels = eng_bf16_kernels();
    size_t padded = round_up(n_columns);
    for (size_t first = 0, width; first < padded; first += width) {
        width = smaller(ENG_PACKED_COLUMNS, padded - first);
        for (size_t pair = 0; pair < n_taps * depth / 2; pair++, packed += 2 * width) {
            float pairs[2 * ENG_PACKED_COLUMNS] = {0};
            size_t tap = 2 * pair / depth, k = 2 * pair % depth;
            const float *from = w->data + tap * w->tap_step + k * w->depth_step;
            for (size_t j = 0; j < width && first + j < n_columns; j++) {
                const float *at = from + (first + j) * w->column_step;
                float scale = w->scale ? w->scale[first + j] : 1;
                pairs[2 * j] = at[0] * scale;
                pairs[2 * j + 1] = at[w->depth_step] * scale;
            }
            kernels->round(pairs, packed, 2 * width);
        }
    }
}

#ifdef ENG_X86

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define TILE   TARGET static inline __attribute__((always_inline)) void

/* As in vector_packed.inc: 24 sums in registers, 6 rows by 4 vectors of columns and so on. Rows are
 * addressed in groups, as one pointer plus none, one or two steps. */
enum { LANES = 16, TILE_SUMS = 24, MAX_ROWS = 16, MAX_VECTORS = 4, ROW_GROUP = 3 };

TARGET static void round_numbers(const float *x, uint16_t *y, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t left = n - i;
        __mmask16 mask = left < LANES ? (__mmask16)((1u << left) - 1) : 0xffff;
        __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
        _mm256_mask_storeu_epi16(y + i, mask, (__m256i)rounded);
    }
}

/* One panel. */
struct panel {
    const uint16_t *b;
    size_t width; /* columns, padding included */
    size_t end;   /* the column of c after the last */
};

TARGET static inline __m512bh load_pair(const uint16_t *a)
{
    int32_t pair;
    memcpy(&pair, a, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

TILE add_tap(const struct eng_bf16_product *p, const uint16_t *a, const uint16_t *b, size_t b_step,
             const int n_rows, const int n_vectors, __m512 sums[MAX_ROWS][MAX_VECTORS])
{
    const uint16_t *rows[(MAX_ROWS + ROW_GROUP - 1) / ROW_GROUP];
    UNROLL
    for (int i = 0; i < n_rows; i += ROW_GROUP)
        rows[i / ROW_GROUP] = a + (size_t)i * p->a_row;
    for (size_t k = 0; k < p->depth; k += 2, b += b_step) {
        __m512bh right[MAX_VECTORS];
        UNROLL
        for (int j = 0; j < n_vectors; j++)
            right[j] = (__m512bh)_mm512_loadu_si512(b + (size_t)j * 2 * LANES);
        UNROLL
        for (int i = 0; i < n_rows; i++) {
            __m512bh left = load_pair(rows[i / ROW_GROUP] + (size_t)(i % ROW_GROUP) * p->a_row + k);
            UNROLL
            for (int j = 0; j < n_vectors; j++)
                sums[i][j] = _mm512_dpbf16_ps(sums[i][j], left, right[j]);
        }
    }
}

/* Rows from row on, columns from column of the panel on. */
TILE multiply_tile(const struct eng_bf16_product *p, const struct panel *panel, size_t row,
                   size_t column, const int n_rows, const int n_vectors)
{
    __m512 sums[MAX_ROWS][MAX_VECTORS];
    size_t first = p->first + column;
    UNROLL
    for (int j = 0; j < n_vectors; j++)
        UNROLL
    for (int i = 0; i < n_rows; i++)
        sums[i][j] =
            p->bias ? _mm512_loadu_ps(p->bias + first + (size_t)j * LANES) : _mm512_setzero_ps();
    for (size_t tap = 0; tap < p->n_taps; tap++)
        add_tap(p, p->a + p->taps[tap] + row * p->a_row,
                panel->b + (tap * p->depth / 2 * panel->width + column) * 2, 2 * panel->width,
                n_rows, n_vectors, sums);
    UNROLL
    for (int j = 0; j < n_vectors; j++) {
        size_t at = first + (size_t)j * LANES;
        if (at >= panel->end) break;
        size_t left = panel->end - at;
        __mmask16 mask = left < LANES ? (__mmask16)((1u << left) - 1) : 0xffff;
        UNROLL
        for (int i = 0; i < n_rows; i++) {
            size_t to = (row + (size_t)i) * p->c_row + at;
            __m512 y = sums[i][j];
            if (p->added) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p->added + to));
            y = _mm512_max_ps(_mm512_set1_ps(p->low), y);  /* of NaN and a bound it gives the */
            y = _mm512_min_ps(_mm512_set1_ps(p->high), y); /* second operand: NaN stays */
            _mm512_mask_storeu_ps(p->c + to, mask, y);
        }
    }
}

/* All rows: tiles of the full height, then shorter ones. */
TILE multiply_rows(const struct eng_bf16_product *p, const struct panel *panel, size_t column,
                   const int height, const int n_vectors)
{
    size_t row = 0;
    for (; p->n_rows - row >= (size_t)height; row += (size_t)height)
        multiply_tile(p, panel, row, column, height, n_vectors);
    for (; height > 4 && p->n_rows - row >= 4; row += 4)
        multiply_tile(p, panel, row, column, 4, n_vectors);
    for (; p->n_rows - row >= 2; row += 2)
        multiply_tile(p, panel, row, column, 2, n_vectors);
    if (p->n_rows > row) multiply_tile(p, panel, row, column, 1, n_vectors);
}

TARGET static void multiply(const struct eng_bf16_product *p)
{
    size_t padded = round_up(p->n_columns);
    struct panel panel = {.b = p->b + p->first * p->n_taps * p->depth,
                          .width = smaller(ENG_PACKED_COLUMNS, padded - p->first)};
    panel.end = smaller(p->first + panel.width, p->n_columns);
    switch (panel.width / LANES) {
    case 4:
        multiply_rows(p, &panel, 0, TILE_SUMS / 4, 4);
        break;
    case 3:
        multiply_rows(p, &panel, 0, TILE_SUMS / 3, 3);
        break;
    case 2:
        multiply_rows(p, &panel, 0, TILE_SUMS / 2, 2);
        break;
    default:
        multiply_rows(p, &panel, 0, MAX_ROWS, 1);
    }
}

static const struct eng_bf16_kernels avx512 = {.round = round_numbers, .multiply = multiply};

#endif

const struct eng_bf16_kernels *eng_bf16_kernels(void)
{
#ifdef ENG_X86
    if (eng_kernels_have(ENG_CPU_BF16)) return &avx512;
#endif
    return NULL;
}
