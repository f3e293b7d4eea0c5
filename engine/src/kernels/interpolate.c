#include "kernels/interpolate.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/interpolate_taps.h"

#include <math.h>
#include <string.h>

/* --- scratch: the tables of all axes, then the tensors between passes --- */

struct layout {
    size_t index[ENG_MAX_RANK], weight[ENG_MAX_RANK]; /* byte offsets */
    size_t n_taps[ENG_MAX_RANK];
    size_t buffer[2], total;
};

static size_t product(const struct eng_interpolation *i, int begin, int end, bool of_out)
{
    size_t n = 1;
    for (int d = begin; d < end; d++)
        n *= of_out ? i->axis[d].out : i->axis[d].in;
    return n;
}

/* Elements of the largest tensor on the way: axes from d on have their output size. */
static bool most_elements(const struct eng_interpolation *i, size_t *out)
{
    *out = 0;
    for (int d = 0; d <= i->rank; d++) {
        size_t n = 1;
        for (int k = 0; k < i->rank; k++)
            if (!eng_mul_size(n, k < d ? i->axis[k].in : i->axis[k].out, &n)) return false;
        if (n > *out) *out = n;
    }
    return true;
}

static bool take(size_t *total, size_t n, size_t bytes, size_t *at)
{
    *at = *total;
    return eng_mul_size(n, bytes, &n) && n < SIZE_MAX / 2 &&
           eng_add_size(*total, eng_align_up(n), total);
}

static int count_passes(const struct eng_interpolation *i)
{
    int n = 0;
    for (int d = 0; d < i->rank; d++)
        n += !i->axis[d].is_same;
    return n;
}

/* The last axis that changes, or 0. */
static int last_change(const struct eng_interpolation *i)
{
    int d = i->rank - 1;
    while (d > 0 && i->axis[d].is_same)
        d--;
    return d;
}

/* Buffers: what lies between two passes; other types than floats also need one before the first
 * and after the last. Buffer 0 also holds a block of values from outside for nearest elements. */
static bool plan_buffers(const struct eng_interpolation *i, enum eng_dtype dtype, struct layout *l)
{
    bool is_float = dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
    bool has_passes = i->filter != ENG_NEAREST || i->backward;
    int n_buffers = has_passes ? (is_float ? count_passes(i) - 1 : 2) : 0;
    size_t bytes = dtype == ENG_FLOAT32 ? sizeof(float) : sizeof(double), most;
    if (!most_elements(i, &most)) return false;
    size_t first = n_buffers > 0 ? most : product(i, last_change(i) + 1, i->rank, true);
    return take(&l->total, first, bytes, &l->buffer[0]) &&
           take(&l->total, n_buffers > 1 ? most : 0, bytes, &l->buffer[1]);
}

static bool plan_layout(const struct eng_interpolation *i, enum eng_dtype dtype, struct layout *l)
{
    *l = (struct layout){0};
    size_t n;
    for (int d = 0; d < i->rank; d++) {
        l->n_taps[d] = eng_taps_count(i, &i->axis[d]);
        if (!eng_mul_size(l->n_taps[d], i->axis[d].out, &n) ||
            !take(&l->total, n, sizeof(int32_t), &l->index[d]) ||
            !take(&l->total, n, sizeof(double), &l->weight[d]))
            return false;
    }
    return plan_buffers(i, dtype, l);
}

bool eng_interpolate_scratch_bytes(const struct eng_interpolation *i, enum eng_dtype dtype,
                                   size_t *out)
{
    struct layout l;
    if (!plan_layout(i, dtype, &l)) return false;
    *out = l.total;
    return true;
}

static struct eng_taps fill_taps(const struct eng_interpolation *i, int d, const struct layout *l,
                                 char *scratch)
{
    struct eng_taps taps = {.n = l->n_taps[d],
                            .index = (int32_t *)(void *)(scratch + l->index[d]),
                            .weight = (double *)(void *)(scratch + l->weight[d])};
    eng_taps_fill(i, &i->axis[d], &taps);
    return taps;
}

/* --- one axis: [outer, in, inner] to [outer, out, inner] --- */

struct pass {
    struct eng_taps taps;
    size_t outer, in, out, inner;
    double extrapolation;
    const void *x;
    void *y;
};

/* Rows [begin, end) of [outer * out], each of inner elements side by side; or, where inner is 1,
 * lines [begin, end) of outer. */
#define DEFINE_PASS(SUFFIX, TYPE)                                                      \
    static void rows_##SUFFIX(void *ctx, size_t begin, size_t end)                     \
    {                                                                                  \
        const struct pass *p = ctx;                                                    \
        size_t n = p->taps.n, inner = p->inner;                                        \
        for (size_t row = begin; row < end; row++) {                                   \
            const int32_t *index = p->taps.index + row % p->out * n;                   \
            const double *weight = p->taps.weight + row % p->out * n;                  \
            const TYPE *plane = (const TYPE *)p->x + row / p->out * p->in * inner;     \
            TYPE *y = (TYPE *)p->y + row * inner;                                      \
            for (size_t k = 0; k < inner; k++)                                         \
                y[k] = index[0] < 0 ? (TYPE)p->extrapolation : 0;                      \
            for (size_t t = 0; t < n && index[0] >= 0; t++) {                          \
                const TYPE *x = plane + (size_t)index[t] * inner, w = (TYPE)weight[t]; \
                for (size_t k = 0; k < inner; k++)                                     \
                    y[k] += w * x[k];                                                  \
            }                                                                          \
        }                                                                              \
    }                                                                                  \
    static void lines_##SUFFIX(void *ctx, size_t begin, size_t end)                    \
    {                                                                                  \
        const struct pass *p = ctx;                                                    \
        size_t n = p->taps.n;                                                          \
        for (size_t line = begin; line < end; line++) {                                \
            const TYPE *x = (const TYPE *)p->x + line * p->in;                         \
            TYPE *y = (TYPE *)p->y + line * p->out;                                    \
            const int32_t *index = p->taps.index;                                      \
            const double *weight = p->taps.weight;                                     \
            for (size_t j = 0; j < p->out; j++, index += n, weight += n) {             \
                TYPE sum = 0;                                                          \
                for (size_t t = 0; t < n && index[0] >= 0; t++)                        \
                    sum += (TYPE)weight[t] * x[index[t]];                              \
                y[j] = index[0] < 0 ? (TYPE)p->extrapolation : sum;                    \
            }                                                                          \
        }                                                                              \
    }

DEFINE_PASS(float, float)
DEFINE_PASS(double, double)

static void run_pass(const struct pass *p, bool is_float, struct eng_pool *pool)
{
    struct pass copy = *p;
    size_t work = p->taps.n * (p->inner == 1 ? p->out : p->inner);
    size_t n = p->inner == 1 ? p->outer : p->outer * p->out;
    eng_loop_fn *loop = p->inner == 1 ? (is_float ? lines_float : lines_double)
                                      : (is_float ? rows_float : rows_double);
    eng_share(pool, n, 2 * (double)work, 8 * (double)work, loop, &copy);
}

/* All axes, the last first; the last pass writes y. At least one axis changes. */
static void run_passes(const struct eng_interpolation *i, const struct layout *l, bool is_float,
                       const void *x, void *y, char *scratch, struct eng_pool *pool)
{
    int left = count_passes(i);
    for (int d = i->rank - 1, side = 0; d >= 0; d--) {
        if (i->axis[d].is_same) continue;
        struct pass pass = {.taps = fill_taps(i, d, l, scratch),
                            .outer = product(i, 0, d, false),
                            .in = i->axis[d].in,
                            .out = i->axis[d].out,
                            .inner = product(i, d + 1, i->rank, true),
                            .extrapolation = i->extrapolation,
                            .x = x,
                            .y = --left == 0 ? y : scratch + l->buffer[side]};
        run_pass(&pass, is_float, pool);
        x = pass.y;
        side = !side;
    }
}

/* --- other types than float and double: through double --- */

/* Cut towards 0, kept within the type. NaN, which integers do not hold, does not arise from them.
 */
#define EACH_INTEGER(ROW)                              \
    ROW(ENG_UINT8, uint8_t, 0, UINT8_MAX)              \
    ROW(ENG_INT8, int8_t, INT8_MIN, INT8_MAX)          \
    ROW(ENG_UINT16, uint16_t, 0, UINT16_MAX)           \
    ROW(ENG_INT16, int16_t, INT16_MIN, INT16_MAX)      \
    ROW(ENG_UINT32, uint32_t, 0, UINT32_MAX)           \
    ROW(ENG_INT32, int32_t, INT32_MIN, INT32_MAX)      \
    ROW(ENG_UINT64, uint64_t, 0, 0x1.fffffffffffffp63) \
    ROW(ENG_INT64, int64_t, INT64_MIN, 0x1.fffffffffffffp62)

static void widen(enum eng_dtype dtype, const void *from, double *to, size_t n)
{
    switch (dtype) {
#define ROW(DTYPE, TYPE, LOW, HIGH)                  \
    case DTYPE:                                      \
        for (size_t k = 0; k < n; k++)               \
            to[k] = (double)((const TYPE *)from)[k]; \
        break;
        EACH_INTEGER(ROW)
#undef ROW
    default:
        break;
    }
}

static void narrow(enum eng_dtype dtype, const double *from, void *to, size_t n)
{
    switch (dtype) {
#define ROW(DTYPE, TYPE, LOW, HIGH)                                                 \
    case DTYPE:                                                                     \
        for (size_t k = 0; k < n; k++)                                              \
            ((TYPE *)to)[k] = (TYPE)fmin(fmax(from[k], (double)LOW), (double)HIGH); \
        break;
        EACH_INTEGER(ROW)
#undef ROW
    case ENG_FLOAT32:
        for (size_t k = 0; k < n; k++)
            ((float *)to)[k] = (float)from[k];
        break;
    case ENG_FLOAT64:
        memcpy(to, from, n * sizeof *from);
        break;
    case ENG_BOOL:
        for (size_t k = 0; k < n; k++)
            ((uint8_t *)to)[k] = from[k] != 0;
        break;
    default:
        break;
    }
}

/* --- nearest: elements are moved as they are --- */

/* Blocks of the trailing axes that keep their size; n of them along the axis before. */
static inline __attribute__((always_inline)) void
gather(const int32_t *index, size_t n, size_t block, const char *x, char *y, const char *outside)
{
    for (size_t j = 0; j < n; j++)
        memcpy(y + j * block, index[j] < 0 ? outside : x + (size_t)index[j] * block, block);
}

/* Rows [begin, end): one for each output position of the axes before `last`. */
struct nearest {
    const struct eng_interpolation *i;
    struct eng_taps taps[ENG_MAX_RANK];
    int last;
    size_t block; /* bytes */
    const char *x;
    char *y;
    const char *outside; /* a block of extrapolation values */
};

static void nearest_rows(void *ctx, size_t begin, size_t end)
{
    const struct nearest *s = ctx;
    const struct eng_interpolation_axis *last = &s->i->axis[s->last];
    for (size_t row = begin; row < end; row++) {
        size_t left = row, at = 0, step = 1;
        bool outside = false;
        for (int d = s->last - 1; d >= 0; d--) {
            int32_t index = s->taps[d].index[left % s->i->axis[d].out];
            outside |= index < 0;
            at += step * (size_t)(index < 0 ? 0 : index);
            left /= s->i->axis[d].out;
            step *= s->i->axis[d].in;
        }
        const char *x = s->x + at * last->in * s->block;
        char *y = s->y + row * last->out * s->block;
        for (size_t j = 0; outside && j < last->out; j++)
            memcpy(y + j * s->block, s->outside, s->block);
        if (outside) continue;
        const int32_t *index = s->taps[s->last].index;
        if (s->block == sizeof(float))
            gather(index, last->out, sizeof(float), x, y, s->outside);
        else
            gather(index, last->out, s->block, x, y, s->outside);
    }
}

static void run_nearest(const struct eng_interpolation *i, const struct layout *l,
                        enum eng_dtype dtype, const void *x, void *y, char *scratch,
                        struct eng_pool *pool)
{
    struct nearest s = {.i = i, .last = last_change(i), .x = x, .y = y};
    size_t n_block = product(i, s.last + 1, i->rank, true), bytes = eng_dtype_bytes(dtype);
    s.block = n_block * bytes;
    s.outside = scratch + l->buffer[0];
    for (size_t k = 0; k < n_block; k++)
        narrow(dtype, &i->extrapolation, scratch + l->buffer[0] + k * bytes, 1);
    for (int d = 0; d <= s.last; d++)
        s.taps[d] = fill_taps(i, d, l, scratch);
    size_t line = i->axis[s.last].out * s.block;
    eng_share(pool, product(i, 0, s.last, true), 0, 2 * (double)line, nearest_rows, &s);
}

void eng_interpolate_forward(const struct eng_interpolation *i, enum eng_dtype dtype, const void *x,
                             void *y, void *scratch, struct eng_pool *pool)
{
    struct layout l;
    size_t n_in = product(i, 0, i->rank, false), n_out = product(i, 0, i->rank, true);
    if (n_out == 0 || !plan_layout(i, dtype, &l)) return; /* infer has checked the layout */
    if (count_passes(i) == 0) {
        memcpy(y, x, n_in * eng_dtype_bytes(dtype));
    } else if (i->filter == ENG_NEAREST) {
        run_nearest(i, &l, dtype, x, y, scratch, pool);
    } else if (dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64) {
        run_passes(i, &l, dtype == ENG_FLOAT32, x, y, scratch, pool);
    } else {
        double *wide = (double *)(void *)((char *)scratch + l.buffer[1]);
        double *result = (double *)(void *)((char *)scratch + l.buffer[(count_passes(i) - 1) % 2]);
        widen(dtype, x, wide, n_in);
        run_passes(i, &l, false, wide, result, scratch, pool);
        narrow(dtype, result, y, n_out);
    }
}

/* --- backward: the passes turned round --- */

static void pass_back(const struct pass *p, const float *dy, float *dx)
{
    size_t n = p->taps.n, inner = p->inner;
    for (size_t o = 0; o < p->outer; o++, dx += p->in * inner) {
        for (size_t j = 0; j < p->out; j++, dy += inner) {
            const int32_t *index = p->taps.index + j * n;
            for (size_t t = 0; t < n && index[0] >= 0; t++) {
                float w = (float)p->taps.weight[j * n + t], *to = dx + (size_t)index[t] * inner;
                for (size_t k = 0; k < inner; k++)
                    to[k] += w * dy[k];
            }
        }
    }
}

void eng_interpolate_backward(const struct eng_interpolation *i, const float *dy, float *dx,
                              void *scratch)
{
    struct layout l;
    int left = count_passes(i), side = 0;
    if (!plan_layout(i, ENG_FLOAT32, &l)) return; /* infer has checked the layout */
    for (size_t k = 0; left == 0 && k < product(i, 0, i->rank, false); k++)
        dx[k] += dy[k];
    for (int d = 0; d < i->rank; d++) {
        if (i->axis[d].is_same) continue;
        struct pass pass = {.taps = fill_taps(i, d, &l, scratch),
                            .outer = product(i, 0, d, false),
                            .in = i->axis[d].in,
                            .out = i->axis[d].out,
                            .inner = product(i, d + 1, i->rank, true)};
        float *to = dx;
        if (--left > 0) {
            to = (float *)(void *)((char *)scratch + l.buffer[side]);
            memset(to, 0, pass.outer * pass.in * pass.inner * sizeof *to);
        }
        pass_back(&pass, dy, to);
        dy = to;
        side = !side;
    }
}
