#include "kernels/linear.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/clamp.h"
#include "kernels/dispatch.h"
#include "kernels/linear_bf16.h"

#include <string.h>

enum {
    MIN_DOT_DEPTH = 64,       /* less is not worth adding a vector's lanes up */
    MIN_WIDE_DOT_DEPTH = 128, /* the same for more columns than a block */
    CHUNK_BYTES = 192 << 10   /* of x: it stays in the L2 cache from panel to panel */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t round_up(size_t n)
{
    return (n + ENG_CHANNEL_BLOCK - 1) / ENG_CHANNEL_BLOCK * ENG_CHANNEL_BLOCK;
}

/* Of two vectors of columns that are not full, each sum of one row would wait for the one before.
 */
bool eng_linear_choose_dots(size_t depth, size_t n_columns)
{
    if (n_columns < ENG_CHANNEL_BLOCK) return depth >= MIN_DOT_DEPTH;
    return n_columns > ENG_CHANNEL_BLOCK && n_columns < 2 * ENG_CHANNEL_BLOCK &&
           depth >= MIN_WIDE_DOT_DEPTH;
}

bool eng_linear_packed_floats(const struct eng_linear *l, size_t *out)
{
    if (l->is_bf16) return eng_linear_bf16_packed_floats(l, out);
    if (l->depth > SIZE_MAX / 2 || l->n_columns > SIZE_MAX / 2) return false;
    return l->is_dots ? eng_mul_size(round_up(l->depth), l->n_columns, out)
                      : eng_mul_size(l->depth, round_up(l->n_columns), out);
}

bool eng_linear_scratch_bytes(const struct eng_linear *l, size_t *out)
{
    if (l->is_bf16) return eng_linear_bf16_scratch_bytes(l, out);
    *out = 0;
    return true;
}

size_t eng_linear_bias_floats(const struct eng_linear *l)
{
    return round_up(l->n_columns);
}

/* --- packing --- */

/* Columns [first, first + width) of n numbers of the depth from k on: to[k, column], zeros where w
 * ends. w is read along its rows in memory, whichever they are. */
static void pack_block(const struct eng_linear *l, const struct eng_linear_weights *w, size_t k,
                       size_t n, size_t first, size_t width, size_t k_step, size_t j_step,
                       float *to)
{
    size_t there = smaller(n, l->depth - k);
    for (size_t j = 0; j < width; j++, to += j_step) {
        bool is_there = first + j < l->n_columns;
        const float *from = w->data + k * w->depth_step + (first + j) * w->column_step;
        float scale = is_there && w->scale ? w->scale[first + j] : 1;
        for (size_t i = 0; i < n; i++)
            to[i * k_step] = is_there && i < there ? from[i * w->depth_step] * scale : 0;
    }
}

/* Whole blocks of 16 columns or 16 numbers, whichever lie side by side in w. */
static bool pack_whole_block(const struct eng_linear *l, const struct eng_linear_weights *w,
                             size_t k, size_t n, size_t first, size_t width, float *to)
{
    if (w->scale || first + width > l->n_columns || width % ENG_CHANNEL_BLOCK) return false;
    const float *from = w->data + k * w->depth_step + first * w->column_step;
    if (w->column_step == 1) {
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * width, from + i * w->depth_step, width * sizeof *to);
        return true;
    }
    if (w->depth_step != 1) return false;
    size_t from_at[ENG_CHANNEL_BLOCK], to_at[ENG_CHANNEL_BLOCK];
    for (size_t i = 0; i < ENG_CHANNEL_BLOCK; i++) {
        from_at[i] = i * w->column_step;
        to_at[i] = i * width;
    }
    for (size_t j = 0; j < width; j += ENG_CHANNEL_BLOCK)
        eng_kernels()->transpose(&(struct eng_transpose){.n_rows = ENG_CHANNEL_BLOCK,
                                                         .n_columns = (int)n,
                                                         .from = from + j * w->column_step,
                                                         .from_at = from_at,
                                                         .to = to + j,
                                                         .to_at = to_at});
    return true;
}

static void pack_columns(const struct eng_linear *l, const struct eng_linear_weights *w, float *to)
{
    size_t padded = round_up(l->n_columns);
    for (size_t first = 0, width; first < padded; first += width) {
        width = smaller(ENG_PACKED_COLUMNS, padded - first);
        for (size_t k = 0, n; k < l->depth; k += n, to += n * width) {
            n = smaller(ENG_CHANNEL_BLOCK, l->depth - k);
            if (!pack_whole_block(l, w, k, n, first, width, to))
                pack_block(l, w, k, n, first, width, width, 1, to);
        }
    }
}

static void pack_dots(const struct eng_linear *l, const struct eng_linear_weights *w, float *to)
{
    for (size_t first = 0, width; first < l->n_columns; first += width) {
        width = eng_packed_dots_width(l->n_columns, first);
        for (size_t k = 0; k < l->depth; k += ENG_CHANNEL_BLOCK, to += ENG_CHANNEL_BLOCK * width)
            pack_block(l, w, k, ENG_CHANNEL_BLOCK, first, width, 1, ENG_CHANNEL_BLOCK, to);
    }
}

void eng_linear_pack(const struct eng_linear *l, const struct eng_linear_weights *w, float *packed)
{
    if (l->is_bf16)
        eng_linear_bf16_pack(l, w, packed);
    else if (l->is_dots)
        pack_dots(l, w, packed);
    else
        pack_columns(l, w, packed);
}

/* --- products --- */

struct run {
    const struct eng_linear *linear;
    const struct eng_linear_call *call;
    const struct eng_kernels *kernels;
    struct eng_clamp clamp;
    size_t n_chunk;  /* rows of a piece */
    size_t n_panels; /* pieces side by side */
};

static void run_columns(const struct run *r, size_t row, size_t n_rows, size_t panel)
{
    static const size_t no_taps[1] = {0};
    const struct eng_linear *l = r->linear;
    size_t column = panel * ENG_PACKED_COLUMNS, at = row * l->n_columns;
    struct eng_packed_product p = {.n_rows = n_rows,
                                   .n_columns = l->n_columns,
                                   .first = column,
                                   .last = column + 1,
                                   .n_taps = 1,
                                   .depth = l->depth,
                                   .a = r->call->x + row * l->depth,
                                   .taps = no_taps,
                                   .a_row = l->depth,
                                   .b = r->call->packed,
                                   .bias = r->call->bias,
                                   .added = r->call->added ? r->call->added + at : NULL,
                                   .c = r->call->y + at,
                                   .c_row = l->n_columns,
                                   .low = r->clamp.low,
                                   .high = r->clamp.high,
                                   .activate = r->clamp.is_all ? NULL : eng_activation_forward,
                                   .activation = r->call->activation};
    r->kernels->multiply_packed(&p);
}

static void run_dots(const struct run *r, size_t row, size_t n_rows)
{
    const struct eng_linear *l = r->linear;
    size_t at = row * l->n_columns;
    struct eng_packed_dots d = {.n_rows = n_rows,
                                .n_columns = l->n_columns,
                                .depth = l->depth,
                                .a = r->call->x + row * l->depth,
                                .b = r->call->packed,
                                .bias = r->call->bias,
                                .added = r->call->added ? r->call->added + at : NULL,
                                .c = r->call->y + at,
                                .low = r->clamp.low,
                                .high = r->clamp.high};
    r->kernels->multiply_dots(&d);
    if (!r->clamp.is_all)
        eng_activation_forward(r->call->activation, d.c, d.c, n_rows * l->n_columns);
}

static void run_pieces(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t row = i / r->n_panels * r->n_chunk;
        size_t n_rows = smaller(r->n_chunk, r->linear->n_rows - row);
        if (r->linear->is_dots)
            run_dots(r, row, n_rows);
        else
            run_columns(r, row, n_rows, i % r->n_panels);
    }
}

/* Whole tiles of rows (vector_packed.inc), as many as the cache holds, in chunks of about the same
 * size, which threads share better. */
static size_t chunk_rows(const struct eng_linear *l)
{
    enum { TILE = 12 };
    size_t most = CHUNK_BYTES / sizeof(float) / (l->depth + 1) / TILE * TILE;
    if (most == 0) most = TILE;
    size_t n_chunks = (l->n_rows - 1) / most + 1, even = (l->n_rows - 1) / n_chunks + 1;
    return smaller((even + TILE - 1) / TILE * TILE, l->n_rows);
}

void eng_linear_forward(const struct eng_linear *l, const struct eng_linear_call *call)
{
    struct run r = {.linear = l,
                    .call = call,
                    .kernels = eng_kernels(),
                    .clamp = eng_clamp_for(call->activation)};
    if (l->n_rows == 0 || l->n_columns == 0) return;
    if (l->is_bf16) {
        eng_linear_bf16_forward(l, call);
        return;
    }
    r.n_chunk = chunk_rows(l);
    r.n_panels = l->is_dots ? 1 : (l->n_columns - 1) / ENG_PACKED_COLUMNS + 1;
    size_t n_pieces = ((l->n_rows - 1) / r.n_chunk + 1) * r.n_panels;
    size_t columns = smaller(l->n_columns, l->is_dots ? l->n_columns : ENG_PACKED_COLUMNS);
    double weights = (double)l->depth * (double)columns;
    eng_share(call->pool, n_pieces, 2 * (double)r.n_chunk * weights, sizeof(float) * weights,
              run_pieces, &r);
}
