#include "kernels/strided.h"

#include <stdint.h>

void eng_strided_join(struct eng_strided *s)
{
    struct eng_strided joined = {.rank = 0};
    for (int d = 0; d < s->rank; d++) {
        if (s->dim[d] == 1) continue;
        int last = joined.rank - 1;
        bool joins = last >= 0 && joined.from[last] == s->dim[d] * s->from[d] &&
                     joined.to[last] == s->dim[d] * s->to[d];
        if (!joins) joined.dim[last = joined.rank++] = 1;
        joined.dim[last] *= s->dim[d];
        joined.from[last] = s->from[d];
        joined.to[last] = s->to[d];
    }
    *s = joined;
}

bool eng_strided_is_identity(const struct eng_strided *s)
{
    for (int d = 0; d < s->rank; d++)
        if (s->dim[d] != 1 && s->from[d] != s->to[d]) return false;
    return true;
}

struct eng_strided eng_strided_reverse(const struct eng_strided *s)
{
    struct eng_strided reverse = *s;
    for (int d = 0; d < s->rank; d++) {
        reverse.from[d] = s->to[d];
        reverse.to[d] = s->from[d];
    }
    return reverse;
}

/* n elements along the last dimension. WIDE: a type in which a sum is no undefined behaviour. */
#define DEFINE_LINES(SUFFIX, TYPE, WIDE)                                                      \
    static void copy_##SUFFIX(const void *from_, size_t step_from, void *to_, size_t step_to, \
                              size_t n)                                                       \
    {                                                                                         \
        const TYPE *from = from_;                                                             \
        TYPE *to = to_;                                                                       \
        for (size_t i = 0; i < n; i++)                                                        \
            to[i * step_to] = from[i * step_from];                                            \
    }                                                                                         \
    static void add_##SUFFIX(const void *from_, size_t step_from, void *to_, size_t step_to,  \
                             size_t n)                                                        \
    {                                                                                         \
        const TYPE *from = from_;                                                             \
        TYPE *to = to_;                                                                       \
        for (size_t i = 0; i < n; i++)                                                        \
            to[i * step_to] = (TYPE)((WIDE)to[i * step_to] + (WIDE)from[i * step_from]);      \
    }

DEFINE_LINES(float, float, float)
DEFINE_LINES(double, double, double)
DEFINE_LINES(8, uint8_t, uint32_t)
DEFINE_LINES(16, uint16_t, uint32_t)
DEFINE_LINES(32, uint32_t, uint32_t)
DEFINE_LINES(64, uint64_t, uint64_t)

typedef void line_fn(const void *from, size_t step_from, void *to, size_t step_to, size_t n);

struct lines {
    line_fn *copy, *add;
};

/* Signed integers share the unsigned ones' bits. */
static struct lines lines_for(enum eng_dtype dtype)
{
    if (dtype == ENG_FLOAT32) return (struct lines){copy_float, add_float};
    if (dtype == ENG_FLOAT64) return (struct lines){copy_double, add_double};
    switch (eng_dtype_bytes(dtype)) {
    case 1:
        return (struct lines){copy_8, add_8};
    case 2:
        return (struct lines){copy_16, add_16};
    case 4:
        return (struct lines){copy_32, add_32};
    default:
        return (struct lines){copy_64, add_64};
    }
}

/* Line by line, counting the outer dimensions like an odometer. */
static void walk(const struct eng_strided *s, line_fn *line, size_t bytes, const char *from,
                 char *to)
{
    size_t index[ENG_STRIDED_RANK] = {0};
    int last = s->rank - 1;
    for (int d = 0; d < s->rank; d++)
        if (s->dim[d] == 0) return;
    for (;;) {
        if (last < 0) {
            line(from, 0, to, 0, 1);
            return;
        }
        line(from, s->from[last], to, s->to[last], s->dim[last]);
        int d = last - 1;
        for (; d >= 0; d--) {
            from += s->from[d] * bytes;
            to += s->to[d] * bytes;
            if (++index[d] < s->dim[d]) break;
            from -= s->dim[d] * s->from[d] * bytes;
            to -= s->dim[d] * s->to[d] * bytes;
            index[d] = 0;
        }
        if (d < 0) return;
    }
}

void eng_strided_copy(const struct eng_strided *s, enum eng_dtype dtype, const void *from, void *to)
{
    walk(s, lines_for(dtype).copy, eng_dtype_bytes(dtype), from, to);
}

void eng_strided_add(const struct eng_strided *s, enum eng_dtype dtype, const void *from, void *to)
{
    walk(s, lines_for(dtype).add, eng_dtype_bytes(dtype), from, to);
}
