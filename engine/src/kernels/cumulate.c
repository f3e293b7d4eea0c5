#include "kernels/cumulate.h"

#include <stdint.h>

enum { TILE = 128 };

/* `width` lines side by side, a step of `inner` from one element to the next. */
#define DEFINE_LINES(SUFFIX, TYPE, SUM)                                                          \
    static void lines_##SUFFIX(const struct eng_cumulate *c, const void *x_, bool add, void *y_, \
                               size_t start, size_t width)                                       \
    {                                                                                            \
        const TYPE *x = x_;                                                                      \
        TYPE *y = y_;                                                                            \
        SUM sums[TILE] = {0};                                                                    \
        for (size_t k = 0; k < c->n; k++) {                                                      \
            size_t at = start + (c->reverse ? c->n - 1 - k : k) * c->inner;                      \
            for (size_t i = 0; i < width; i++) {                                                 \
                SUM before = sums[i];                                                            \
                sums[i] += (SUM)x[at + i];                                                       \
                SUM now = c->exclusive ? before : sums[i];                                       \
                y[at + i] = add ? (TYPE)((SUM)y[at + i] + now) : (TYPE)now;                      \
            }                                                                                    \
        }                                                                                        \
    }

/* Signed integers share the unsigned ones' bits, whose overflow is defined. */
DEFINE_LINES(float, float, double)
DEFINE_LINES(double, double, double)
DEFINE_LINES(32, uint32_t, uint32_t)
DEFINE_LINES(64, uint64_t, uint64_t)

typedef void lines_fn(const struct eng_cumulate *c, const void *x, bool add, void *y, size_t start,
                      size_t width);

static lines_fn *lines_for(enum eng_dtype dtype)
{
    if (dtype == ENG_FLOAT32) return lines_float;
    if (dtype == ENG_FLOAT64) return lines_double;
    return eng_dtype_bytes(dtype) == 4 ? lines_32 : lines_64;
}

void eng_cumulate(const struct eng_cumulate *c, enum eng_dtype dtype, const void *x, bool add,
                  void *y)
{
    lines_fn *lines = lines_for(dtype);
    for (size_t o = 0; o < c->outer; o++)
        for (size_t i = 0; i < c->inner; i += TILE)
            lines(c, x, add, y, o * c->n * c->inner + i, c->inner - i < TILE ? c->inner - i : TILE);
}
