#include "kernels/attention.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK_FLOATS = 4 * ENG_ATTENTION_MOST_KEYS, /* scores at a time: 64 KiB */
    CHUNK_ROWS = 192,                           /* about so many queries are one piece of work */
};

static size_t round_up(size_t n)
{
    return (n + ENG_CHANNEL_BLOCK - 1) / ENG_CHANNEL_BLOCK * ENG_CHANNEL_BLOCK;
}

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t head_at(const struct eng_attention_place *place, size_t head)
{
    size_t at = place->offset;
    for (int i = place->n - 1; i >= 0; i--) {
        at += head % place->dim[i] * place->step[i];
        head /= place->dim[i];
    }
    return at;
}

/* --- packing --- */

static size_t keys_floats(const struct eng_attention *a)
{
    return a->depth * round_up(a->n_keys);
}

static size_t head_floats(const struct eng_attention *a)
{
    return keys_floats(a) + a->n_keys * round_up(a->width);
}

bool eng_attention_scratch_bytes(const struct eng_attention *a, size_t *out)
{
    size_t keys, values, floats;
    return eng_mul_size(a->depth, round_up(a->n_keys), &keys) &&
           eng_mul_size(a->n_keys, round_up(a->width), &values) &&
           eng_add_size(keys, values, &floats) && eng_mul_size(floats, a->n_heads, &floats) &&
           eng_mul_size(floats, sizeof(float), out);
}

struct run {
    const struct eng_attention *a;
    const struct eng_attention_call *call;
    const struct eng_kernels *kernels;
    size_t chunk_rows, n_chunks; /* of a head */
};

static float *packed_keys(const struct run *r, size_t head)
{
    return (float *)r->call->scratch + head * head_floats(r->a);
}

/* n keys, at most a block, become n columns of a panel of `width`. */
static void turn_keys(const struct run *r, const float *k, size_t n, float *panel, size_t width)
{
    size_t from[ENG_CHANNEL_BLOCK], to[ENG_CHANNEL_BLOCK];
    for (size_t i = 0; i < n; i++)
        from[i] = i * r->a->k.row;
    for (size_t d = 0; d < r->a->depth; d += ENG_CHANNEL_BLOCK) {
        size_t n_columns = smaller(ENG_CHANNEL_BLOCK, r->a->depth - d);
        for (size_t j = 0; j < n_columns; j++)
            to[j] = j * width;
        struct eng_transpose t = {.n_rows = (int)n,
                                  .n_columns = (int)n_columns,
                                  .from = k + d,
                                  .from_at = from,
                                  .to = panel + d * width,
                                  .to_at = to};
        r->kernels->transpose(&t);
    }
}

/* Panels [depth, keys], times scale. */
static void pack_keys(const struct run *r, size_t head)
{
    const struct eng_attention *a = r->a;
    const float *k = r->call->k + head_at(&a->k, head);
    float *packed = packed_keys(r, head);
    struct eng_normalisation scale = {.factor = a->scale};
    if (a->n_keys % ENG_CHANNEL_BLOCK != 0) memset(packed, 0, keys_floats(a) * sizeof *packed);
    for (size_t first = 0; first < a->n_keys; first += ENG_PACKED_COLUMNS) {
        float *panel = packed + first * a->depth;
        size_t width = smaller(ENG_PACKED_COLUMNS, round_up(a->n_keys) - first);
        for (size_t j = 0; j < width && first + j < a->n_keys; j += ENG_CHANNEL_BLOCK)
            turn_keys(r, k + (first + j) * a->k.row,
                      smaller(ENG_CHANNEL_BLOCK, a->n_keys - first - j), panel + j, width);
    }
    if (a->scale != 1) r->kernels->normalise(&scale, packed, packed, keys_floats(a));
}

/* Panels [keys, width]. */
static void pack_values(const struct run *r, size_t head)
{
    const struct eng_attention *a = r->a;
    const float *v = r->call->v + head_at(&a->v, head);
    float *to = packed_keys(r, head) + keys_floats(a);
    for (size_t first = 0; first < a->width; first += ENG_PACKED_COLUMNS) {
        size_t width = smaller(ENG_PACKED_COLUMNS, round_up(a->width) - first);
        size_t shown = smaller(width, a->width - first);
        for (size_t i = 0; i < a->n_keys; i++, to += width) {
            memcpy(to, v + i * a->v.row + first, shown * sizeof *to);
            memset(to + shown, 0, (width - shown) * sizeof *to);
        }
    }
}

static void pack_heads(void *ctx, size_t begin, size_t end)
{
    for (size_t head = begin; head < end; head++) {
        pack_keys(ctx, head);
        pack_values(ctx, head);
    }
}

/* --- blocks of queries --- */

static void multiply(const struct run *r, const float *left, size_t left_row, size_t depth,
                     const float *packed, size_t n_rows, size_t n_columns, float *to, size_t to_row)
{
    static const size_t start = 0;
    struct eng_packed_product p = {.n_rows = n_rows,
                                   .n_columns = n_columns,
                                   .last = n_columns,
                                   .n_taps = 1,
                                   .depth = depth,
                                   .a = left,
                                   .taps = &start,
                                   .a_row = left_row,
                                   .b = packed,
                                   .c = to,
                                   .c_row = to_row,
                                   .low = -INFINITY,
                                   .high = INFINITY};
    r->kernels->multiply_packed(&p);
}

static void weigh(const struct run *r, size_t head, size_t row, size_t n_rows, float *scores)
{
    const struct eng_attention *a = r->a;
    for (size_t i = 0; i < n_rows; i++, scores += a->n_keys) {
        for (int m = 0; m < ENG_ATTENTION_MASKS; m++) {
            if (!r->call->masks[m]) continue;
            const float *mask = r->call->masks[m] + head_at(&a->masks[m], head);
            r->kernels->finish(scores, NULL, mask + (row + i) * a->masks[m].row, -INFINITY,
                               INFINITY, scores, a->n_keys);
        }
        r->kernels->softmax(scores, scores, a->n_keys);
    }
}

static void run_chunk(const struct run *r, size_t head, size_t row, size_t end)
{
    const struct eng_attention *a = r->a;
    const float *q = r->call->q + head_at(&a->q, head), *keys = packed_keys(r, head);
    float *y = r->call->y + head_at(&a->y, head), scores[BLOCK_FLOATS];
    size_t most = BLOCK_FLOATS / a->n_keys;
    for (; row < end; row += most) {
        size_t n_rows = smaller(most, end - row);
        multiply(r, q + row * a->q.row, a->q.row, a->depth, keys, n_rows, a->n_keys, scores,
                 a->n_keys);
        weigh(r, head, row, n_rows, scores);
        multiply(r, scores, a->n_keys, a->n_keys, keys + keys_floats(a), n_rows, a->width,
                 y + row * a->y.row, a->y.row);
    }
}

static void run_chunks(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t head = i / r->n_chunks, row = i % r->n_chunks * r->chunk_rows;
        run_chunk(r, head, row, smaller(row + r->chunk_rows, r->a->n_queries));
    }
}

void eng_attention_forward(const struct eng_attention *a, const struct eng_attention_call *call)
{
    if (a->n_heads == 0 || a->n_queries == 0 || a->n_keys == 0) return;
    struct run r = {.a = a, .call = call, .kernels = eng_kernels()};
    r.chunk_rows = divide_up(a->n_queries, divide_up(a->n_queries, CHUNK_ROWS));
    r.n_chunks = divide_up(a->n_queries, r.chunk_rows);
    double flops = 2 * (double)(r.chunk_rows * a->n_keys) * (double)(a->depth + a->width);
    eng_share(call->pool, a->n_heads, 0, 16 * (double)head_floats(a), pack_heads, &r);
    eng_share(call->pool, a->n_heads * r.n_chunks, flops, 0, run_chunks, &r);
}
