#include "kernels/indexed.h"

#include "base/share.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { NOWHERE = -1 };

void eng_indexed_push(struct eng_indexed *map, int64_t dim, ptrdiff_t step, ptrdiff_t index_step)
{
    assert(map->rank < ENG_MAX_RANK);
    map->dim[map->rank] = dim;
    map->step[map->rank] = step;
    map->index_step[map->rank++] = index_step;
}

void eng_indexed_push_tuple(struct eng_indexed *map, int64_t length, ptrdiff_t step)
{
    assert(map->n_tuple < ENG_MAX_RANK);
    map->length[map->n_tuple] = length;
    map->tuple_step[map->n_tuple++] = step;
}

static size_t count_blocks(const struct eng_indexed *map)
{
    size_t n = map->block > 0;
    for (int d = 0; d < map->rank; d++)
        n *= (size_t)map->dim[d];
    return n;
}

/* Which block, and where it and its indices lie without what the indices say. */
struct place {
    int64_t c[ENG_MAX_RANK];
    ptrdiff_t data, index;
};

static struct place place_of(const struct eng_indexed *map, size_t i)
{
    struct place at = {.data = 0};
    for (int d = map->rank - 1; d >= 0; d--) {
        at.c[d] = (int64_t)(i % (size_t)map->dim[d]);
        i /= (size_t)map->dim[d];
        at.data += at.c[d] * map->step[d];
        at.index += at.c[d] * map->index_step[d];
    }
    return at;
}

static inline void advance(const struct eng_indexed *map, struct place *at)
{
    for (int d = map->rank - 1; d >= 0; d--) {
        at->data += map->step[d];
        at->index += map->index_step[d];
        if (++at->c[d] < map->dim[d]) return;
        at->data -= map->dim[d] * map->step[d];
        at->index -= map->dim[d] * map->index_step[d];
        at->c[d] = 0;
    }
}

/* Where the block lies in the data, in elements; NOWHERE if an index is no good. */
static inline ptrdiff_t offset_of(const struct eng_indexed *map, const struct eng_tensor *indices,
                                  const struct place *at)
{
    ptrdiff_t offset = at->data;
    for (int t = 0; t < map->n_tuple; t++) {
        int64_t index = indices->dtype == ENG_INT64
                            ? ((const int64_t *)indices->data)[at->index + t]
                            : ((const int32_t *)indices->data)[at->index + t];
        if (index < 0) index += map->length[t];
        if (index < 0 || index >= map->length[t]) return NOWHERE;
        offset += index * map->tuple_step[t];
    }
    return offset;
}

static inline void copy_block(char *to, const char *from, size_t n_bytes)
{
    if (n_bytes == 4)
        memcpy(to, from, 4);
    else if (n_bytes == 8)
        memcpy(to, from, 8);
    else if (n_bytes == 1)
        *to = *from;
    else
        memcpy(to, from, n_bytes);
}

struct gather {
    const struct eng_indexed *map;
    const struct eng_tensor *indices;
    size_t bytes;
    const char *x;
    char *y;
};

static void gather_blocks(void *ctx, size_t begin, size_t end)
{
    const struct gather *g = ctx;
    size_t n_bytes = (size_t)g->map->block * g->bytes;
    struct place at = place_of(g->map, begin);
    for (size_t i = begin; i < end; i++, advance(g->map, &at)) {
        ptrdiff_t offset = offset_of(g->map, g->indices, &at);
        if (offset == NOWHERE)
            memset(g->y + i * n_bytes, 0, n_bytes);
        else
            copy_block(g->y + i * n_bytes, g->x + (size_t)offset * g->bytes, n_bytes);
    }
}

void eng_indexed_gather(const struct eng_indexed *map, const struct eng_tensor *indices,
                        enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool)
{
    struct gather g = {
        .map = map, .indices = indices, .bytes = eng_dtype_bytes(dtype), .x = x, .y = y};
    size_t n = count_blocks(map), block = (size_t)map->block;
    eng_share(pool, n, 0, 2 * (double)(block * g.bytes), gather_blocks, &g);
}

void eng_indexed_gather_add(const struct eng_indexed *map, const struct eng_tensor *indices,
                            const float *x, float *y)
{
    size_t n = count_blocks(map), block = (size_t)map->block;
    if (n == 0) return;
    struct place at = place_of(map, 0);
    for (size_t i = 0; i < n; i++, advance(map, &at), y += block) {
        ptrdiff_t offset = offset_of(map, indices, &at);
        for (size_t j = 0; offset != NOWHERE && j < block; j++)
            y[j] += x[(size_t)offset + j];
    }
}

/* Integers wrap around: WIDE is unsigned and holds their bits. */
#define DEFINE_COMBINE(SUFFIX, TYPE, WIDE)                                                     \
    static void combine_##SUFFIX(enum eng_scatter how, const void *from_, void *to_, size_t n) \
    {                                                                                          \
        const TYPE *from = from_;                                                              \
        TYPE *to = to_;                                                                        \
        for (size_t i = 0; i < n; i++) {                                                       \
            TYPE a = to[i], b = from[i];                                                       \
            if (how == ENG_SCATTER_ADD)                                                        \
                to[i] = (TYPE)((WIDE)a + (WIDE)b);                                             \
            else if (how == ENG_SCATTER_MUL)                                                   \
                to[i] = (TYPE)((WIDE)a * (WIDE)b);                                             \
            else if (how == ENG_SCATTER_MAX ? a < b : a > b)                                   \
                to[i] = b;                                                                     \
            if (b != b) to[i] = b;                                                             \
        }                                                                                      \
    }

DEFINE_COMBINE(float, float, float)
DEFINE_COMBINE(double, double, double)
DEFINE_COMBINE(uint8, uint8_t, uint64_t)
DEFINE_COMBINE(int8, int8_t, uint64_t)
DEFINE_COMBINE(uint16, uint16_t, uint64_t)
DEFINE_COMBINE(int16, int16_t, uint64_t)
DEFINE_COMBINE(uint32, uint32_t, uint64_t)
DEFINE_COMBINE(int32, int32_t, uint64_t)
DEFINE_COMBINE(uint64, uint64_t, uint64_t)
DEFINE_COMBINE(int64, int64_t, uint64_t)

/* Sums and maxima of booleans are `or`, products and minima `and`. */
static void combine_bool(enum eng_scatter how, const void *from_, void *to_, size_t n)
{
    bool either = how == ENG_SCATTER_ADD || how == ENG_SCATTER_MAX;
    combine_uint8(either ? ENG_SCATTER_MAX : ENG_SCATTER_MIN, from_, to_, n);
}

typedef void combine_fn(enum eng_scatter how, const void *from, void *to, size_t n);

static combine_fn *combine_for(enum eng_dtype dtype)
{
    static combine_fn *const table[] = {
        [ENG_FLOAT32] = combine_float,  [ENG_UINT8] = combine_uint8,
        [ENG_INT8] = combine_int8,      [ENG_UINT16] = combine_uint16,
        [ENG_INT16] = combine_int16,    [ENG_INT32] = combine_int32,
        [ENG_INT64] = combine_int64,    [ENG_BOOL] = combine_bool,
        [ENG_FLOAT64] = combine_double, [ENG_UINT32] = combine_uint32,
        [ENG_UINT64] = combine_uint64,
    };
    return table[dtype];
}

void eng_indexed_scatter(const struct eng_indexed *map, const struct eng_tensor *indices,
                         enum eng_dtype dtype, enum eng_scatter how, const void *updates, void *y)
{
    size_t n = count_blocks(map), bytes = eng_dtype_bytes(dtype);
    size_t block = (size_t)map->block, n_bytes = block * bytes;
    if (n == 0) return;
    combine_fn *combine = combine_for(dtype);
    struct place at = place_of(map, 0);
    for (size_t i = 0; i < n; i++, advance(map, &at)) {
        ptrdiff_t offset = offset_of(map, indices, &at);
        if (offset == NOWHERE) continue;
        char *to = (char *)y + (size_t)offset * bytes;
        if (!updates)
            memset(to, 0, n_bytes);
        else if (how == ENG_SCATTER_NONE)
            copy_block(to, (const char *)updates + i * n_bytes, n_bytes);
        else
            combine(how, (const char *)updates + i * n_bytes, to, block);
    }
}
