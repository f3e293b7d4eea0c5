#include "kernels/gemm.h"

#include "base/share.h"
#include "kernels/clamp.h"
#include "kernels/dispatch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    BLOCK_ROWS = 256,  /* rows of C in one piece of work: they share a packed panel */
    DOT_ROWS = 64,     /* the same for dot products, which read all of A for a few columns */
    BLOCK_DEPTH = 128, /* of k in one pass: a packed panel stays in the L1 cache */
    AHEAD = 8,         /* rows of B to prefetch: far apart, they are no stream to the CPU */
    PACK_ROWS = 16,    /* rows of A that make packing pay */
    MAX_PANEL_COLUMNS = 16 * ENG_PANEL_VECTORS,
    DOT_COLUMNS = 32, /* columns of C in one piece of dot products */
};

/* C is cut into pieces of rows x columns. */
struct pieces {
    const struct eng_gemm *gemm;
    const float *column_bias;
    struct eng_activation activation;
    struct eng_clamp clamp;
    bool is_dot;
    size_t n_rows, n_columns; /* of one piece */
    size_t per_row;           /* pieces side by side */
};

struct piece {
    size_t row, n_rows, column, n_columns;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct piece piece_at(const struct pieces *p, size_t i)
{
    struct piece piece = {.row = i / p->per_row * p->n_rows,
                          .column = i % p->per_row * p->n_columns};
    piece.n_rows = smaller(p->n_rows, p->gemm->m - piece.row);
    piece.n_columns = smaller(p->n_columns, p->gemm->n - piece.column);
    return piece;
}

/* What the clamp in the kernel cannot do. */
static void activate(const struct pieces *p, const struct piece *piece)
{
    if (p->clamp.is_all) return;
    for (size_t i = 0; i < piece->n_rows; i++) {
        float *c = p->gemm->c + (piece->row + i) * p->gemm->ldc + piece->column;
        eng_activation_forward(p->activation, c, c, piece->n_columns);
    }
}

/* Points the panel's pieces at C and, where the sums start, at the bias. */
static void place_panel(const struct pieces *p, const struct piece *piece, struct eng_panel *panel)
{
    size_t lanes = (size_t)eng_kernels()->n_lanes;
    for (size_t x = 0; x < piece->n_columns; x += lanes) {
        int j = panel->n_vectors++;
        panel->n_lanes[j] = (int)smaller(lanes, piece->n_columns - x);
        panel->c[j] = p->gemm->c + piece->row * p->gemm->ldc + piece->column + x;
        panel->column_bias[j] = p->column_bias ? p->column_bias + piece->column + x : NULL;
    }
}

/* n rows of B from row k on, the panel's columns close together. */
static void pack_b(const struct eng_gemm *g, const struct piece *piece, size_t k, size_t n,
                   float *packed)
{
    size_t width = piece->n_columns;
    if (!g->trans_b) {
        const float *b = g->b + k * g->ldb + piece->column;
        for (size_t i = 0; i < n; i++) {
            if (i + AHEAD < n)
                for (size_t x = 0; x < width; x += 16)
                    __builtin_prefetch(b + (i + AHEAD) * g->ldb + x);
            memcpy(packed + i * width, b + i * g->ldb, width * sizeof *packed);
        }
        return;
    }
    for (size_t x = 0; x < width; x++) {
        const float *b = g->b + (piece->column + x) * g->ldb + k;
        for (size_t i = 0; i < n; i++)
            packed[i * width + x] = b[i];
    }
}

/* Rows [k, k + n) of the panel: in place, or, if many rows of A will read them, close together. */
static void place_b(const struct pieces *p, const struct piece *piece, size_t k, size_t n,
                    float *packed, ptrdiff_t *taps, struct eng_panel *panel)
{
    const struct eng_gemm *g = p->gemm;
    bool packs = g->trans_b || piece->n_rows >= PACK_ROWS;
    size_t step = packs ? piece->n_columns : g->ldb;
    const float *b = packs ? packed : g->b + k * g->ldb + piece->column;
    if (packs) pack_b(g, piece, k, n, packed);
    for (size_t i = 0; i < n; i++)
        taps[i] = (ptrdiff_t)(i * step);
    for (int j = 0; j < panel->n_vectors; j++)
        panel->b[j] = b + j * eng_kernels()->n_lanes;
}

/* One panel, BLOCK_DEPTH of k at a time. A sum waits in C between the blocks, exactly. */
static void multiply_piece(const struct pieces *p, const struct piece *piece)
{
    const struct eng_gemm *g = p->gemm;
    float packed[BLOCK_DEPTH * MAX_PANEL_COLUMNS];
    ptrdiff_t taps[BLOCK_DEPTH];
    struct eng_product product = {.n_rows = piece->n_rows,
                                  .n_channels = 1,
                                  .a_row = g->trans_a ? 1 : g->lda,
                                  .a_tap = g->trans_a ? g->lda : 1,
                                  .taps = taps,
                                  .c_row = g->ldc,
                                  .low = -INFINITY,
                                  .high = INFINITY};
    struct eng_panel panel = {0};
    place_panel(p, piece, &panel);
    size_t k = 0;
    do {
        product.n_taps = smaller(BLOCK_DEPTH, g->k - k);
        product.a = g->a + piece->row * product.a_row + k * product.a_tap;
        product.accumulate = g->accumulate || k > 0;
        place_b(p, piece, k, product.n_taps, packed, taps, &panel);
        k += product.n_taps;
        if (k == g->k) {
            product.low = p->clamp.low;
            product.high = p->clamp.high;
        }
        eng_kernels()->product(&product, &panel);
    } while (k < g->k);
}

/* B alone transposed: rows times rows, a few columns of C at a time. */
static void dot_piece(const struct pieces *p, const struct piece *piece)
{
    const struct eng_gemm *g = p->gemm;
    struct eng_dot dot = {.n_rows = piece->n_rows,
                          .n_parts = 1,
                          .length = g->k,
                          .a = g->a + piece->row * g->lda,
                          .a_row = g->lda,
                          .c = g->c + piece->row * g->ldc,
                          .c_row = g->ldc,
                          .accumulate = g->accumulate,
                          .low = p->clamp.low,
                          .high = p->clamp.high};
    for (size_t x = 0; x < piece->n_columns; x += dot.n_columns) {
        size_t column = piece->column + x;
        dot.n_columns = smaller(ENG_DOT_ROWS, piece->n_columns - x);
        dot.column_bias = p->column_bias ? p->column_bias + column : NULL;
        for (size_t j = 0; j < dot.n_columns; j++) {
            dot.b[j] = g->b + (column + j) * g->ldb;
            dot.c_column[j] = column + j;
        }
        eng_kernels()->dot(&dot);
    }
}

static void run_pieces(void *ctx, size_t begin, size_t end)
{
    const struct pieces *p = ctx;
    for (size_t i = begin; i < end; i++) {
        struct piece piece = piece_at(p, i);
        if (p->is_dot)
            dot_piece(p, &piece);
        else
            multiply_piece(p, &piece);
        activate(p, &piece);
    }
}

static bool is_dot(const struct eng_gemm *g)
{
    return g->trans_b && !g->trans_a;
}

const char *eng_gemm_algorithm(const struct eng_gemm *gemm)
{
    return is_dot(gemm) ? "dot products" : "product";
}

void eng_gemm_run(const struct eng_gemm *g, const float *column_bias,
                  struct eng_activation activation, struct eng_pool *pool)
{
    assert(!(g->accumulate && column_bias));
    if (g->m == 0 || g->n == 0) return;
    struct pieces p = {.gemm = g,
                       .column_bias = column_bias,
                       .activation = activation,
                       .clamp = eng_clamp_for(activation),
                       .is_dot = is_dot(g)};
    p.n_columns = p.is_dot ? DOT_COLUMNS : (size_t)(eng_kernels()->n_lanes * ENG_PANEL_VECTORS);
    p.n_rows = smaller(p.is_dot ? DOT_ROWS : BLOCK_ROWS, g->m);
    p.per_row = (g->n - 1) / p.n_columns + 1;
    size_t n_pieces = p.per_row * ((g->m - 1) / p.n_rows + 1);
    double b = (double)p.n_columns * (double)g->k;
    eng_share(pool, n_pieces, 2 * (double)p.n_rows * b, sizeof(float) * b, run_pieces, &p);
}
