#include "kernels/quantise.h"

#include "base/share.h"
#include "kernels/int8_kernels.h"

#include <math.h>
#include <stdint.h>

enum { ROW = 1 << 12 }; /* elements */

/* To the nearest integer, halves to even, for what fits 2^20, which is beyond every type's range;
 * adding 1.5 * 2^23 leaves no bits for a fraction. Unlike rintf this vectorises on every CPU. */
static inline int32_t round_within(float x)
{
    const float most = 0x1p20f, shift = 0x1.8p23f;
    x = x > -most ? x : -most; /* NaN too */
    x = x < most ? x : most;
    return (int32_t)((x + shift) - shift);
}

static inline int32_t clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* --- rows that share parameters, or have one for each element --- */

struct row {
    size_t start, n;
    size_t parameter, step;
};

static size_t count_rows(const struct eng_quantisation *q)
{
    size_t n = q->outer * q->axis * q->inner;
    if (n == 0) return 0;
    if (q->by == ENG_BY_TENSOR) return (n - 1) / ROW + 1;
    return q->by == ENG_BY_AXIS && q->inner == 1 ? q->outer : q->outer * q->axis;
}

static struct row row_at(const struct eng_quantisation *q, size_t r)
{
    size_t n = q->outer * q->axis * q->inner;
    if (q->by == ENG_BY_TENSOR)
        return (struct row){.start = r * ROW, .n = n - r * ROW < ROW ? n - r * ROW : ROW};
    if (q->by == ENG_BY_AXIS && q->inner == 1)
        return (struct row){.start = r * q->axis, .n = q->axis, .step = 1};
    struct row row = {.start = r * q->inner, .n = q->inner, .parameter = r % q->axis};
    if (q->by == ENG_BY_AXIS) return row;
    size_t n_blocks = (q->axis - 1) / q->block + 1;
    row.parameter = (r / q->axis * n_blocks + row.parameter / q->block) * q->inner;
    row.step = 1;
    return row;
}

/* --- lines, by type --- */

/* One line, with its first scale and zero point; step 0: they hold for all of it. */
struct line {
    const void *x;
    void *y;
    const float *scale;
    const void *zero;
    size_t step_scale, step_zero, n;
};

typedef void line_fn(const struct line *l);

#define DEFINE_QUANTISE(SUFFIX, TYPE, LOW, HIGH)                                                   \
    static void quantise_##SUFFIX(const struct line *l)                                            \
    {                                                                                              \
        const float *x = l->x;                                                                     \
        const TYPE *zero = l->zero;                                                                \
        TYPE *y = l->y;                                                                            \
        float scale = l->scale[0];                                                                 \
        int32_t z = zero[0];                                                                       \
        if (l->step_scale == 0)                                                                    \
            for (size_t i = 0; i < l->n; i++)                                                      \
                y[i] = (TYPE)clamp(round_within(x[i] / scale) + z, LOW, HIGH);                     \
        else                                                                                       \
            for (size_t i = 0; i < l->n; i++)                                                      \
                y[i] = (TYPE)clamp(round_within(x[i] / l->scale[i]) + zero[i * l->step_zero], LOW, \
                                   HIGH);                                                          \
    }                                                                                              \
    /* double: int32 does not fit a float */                                                       \
    static void quantise_int32_##SUFFIX(const struct line *l)                                      \
    {                                                                                              \
        const int32_t *x = l->x;                                                                   \
        const TYPE *zero = l->zero;                                                                \
        for (size_t i = 0; i < l->n; i++) {                                                        \
            double q = rint((double)x[i] / (double)l->scale[i * l->step_scale]) +                  \
                       (double)zero[i * l->step_zero];                                             \
            ((TYPE *)l->y)[i] = (TYPE)fmin(fmax(q, LOW), HIGH);                                    \
        }                                                                                          \
    }

DEFINE_QUANTISE(uint8, uint8_t, 0, UINT8_MAX)
DEFINE_QUANTISE(int8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_QUANTISE(uint16, uint16_t, 0, UINT16_MAX)
DEFINE_QUANTISE(int16, int16_t, INT16_MIN, INT16_MAX)

/* One scale for the whole line: by vectors. */
static void quantise_unsigned(const struct line *l)
{
    struct eng_int8_finish finish = {.zero = *(const uint8_t *)l->zero, .high = UINT8_MAX};
    if (l->step_scale == 0)
        eng_int8_kernels()->quantise(l->x, l->scale[0], &finish, l->y, l->n);
    else
        quantise_uint8(l);
}

static void quantise_signed(const struct line *l)
{
    struct eng_int8_finish finish = {
        .zero = *(const int8_t *)l->zero + 128, .high = UINT8_MAX, .flip = ENG_INT8_FLIP};
    if (l->step_scale == 0)
        eng_int8_kernels()->quantise(l->x, l->scale[0], &finish, l->y, l->n);
    else
        quantise_int8(l);
}

#define DEFINE_DEQUANTISE(SUFFIX, TYPE)                                                        \
    static void dequantise_##SUFFIX(const struct line *l)                                      \
    {                                                                                          \
        const TYPE *x = l->x, *zero = l->zero;                                                 \
        float *y = l->y, scale = l->scale[0];                                                  \
        int32_t z = zero[0];                                                                   \
        if (l->step_scale == 0)                                                                \
            for (size_t i = 0; i < l->n; i++)                                                  \
                y[i] = (float)((int32_t)x[i] - z) * scale;                                     \
        else                                                                                   \
            for (size_t i = 0; i < l->n; i++)                                                  \
                y[i] = (float)((int32_t)x[i] - (int32_t)zero[i * l->step_zero]) * l->scale[i]; \
    }

DEFINE_DEQUANTISE(uint8, uint8_t)
DEFINE_DEQUANTISE(int8, int8_t)
DEFINE_DEQUANTISE(uint16, uint16_t)
DEFINE_DEQUANTISE(int16, int16_t)

static void dequantise_int32(const struct line *l)
{
    const int32_t *x = l->x, *zero = l->zero;
    for (size_t i = 0; i < l->n; i++)
        ((float *)l->y)[i] =
            (float)((int64_t)x[i] - zero[i * l->step_zero]) * l->scale[i * l->step_scale];
}

struct lines {
    line_fn *quantise, *quantise_int32, *dequantise;
};

static struct lines lines_for(enum eng_dtype dtype)
{
    switch (dtype) {
    case ENG_UINT8:
        return (struct lines){quantise_unsigned, quantise_int32_uint8, dequantise_uint8};
    case ENG_INT8:
        return (struct lines){quantise_signed, quantise_int32_int8, dequantise_int8};
    case ENG_UINT16:
        return (struct lines){quantise_uint16, quantise_int32_uint16, dequantise_uint16};
    case ENG_INT16:
        return (struct lines){quantise_int16, quantise_int32_int16, dequantise_int16};
    case ENG_INT32:
        return (struct lines){.dequantise = dequantise_int32};
    default:
        return (struct lines){0};
    }
}

bool eng_quantise_makes(enum eng_dtype dtype)
{
    return lines_for(dtype).quantise != NULL;
}

bool eng_dequantise_takes(enum eng_dtype dtype)
{
    return lines_for(dtype).dequantise != NULL;
}

/* --- all rows --- */

struct run {
    const struct eng_quantisation *q;
    line_fn *line;
    const char *x, *zero;
    size_t x_bytes, y_bytes, zero_bytes;
    const float *scale;
    char *y;
};

static void run_rows(void *ctx, size_t begin, size_t end)
{
    static const union {
        int32_t of_32_bits;
        int16_t of_16_bits;
        int8_t of_8_bits;
    } no_zero = {0};
    const struct run *run = ctx;
    for (size_t r = begin; r < end; r++) {
        struct row row = row_at(run->q, r);
        struct line line = {.x = run->x + row.start * run->x_bytes,
                            .y = run->y + row.start * run->y_bytes,
                            .scale = run->scale + row.parameter,
                            .zero = run->zero ? run->zero + row.parameter * run->zero_bytes
                                              : (const char *)&no_zero,
                            .step_scale = row.step,
                            .step_zero = run->zero ? row.step : 0,
                            .n = row.n};
        run->line(&line);
    }
}

static void run_all(struct run *run, struct eng_pool *pool)
{
    size_t n_rows = count_rows(run->q);
    if (n_rows == 0) return;
    size_t per_row = run->q->outer * run->q->axis * run->q->inner / n_rows + 1;
    eng_share(pool, n_rows, 8 * (double)per_row, 5 * (double)per_row, run_rows, run);
}

void eng_quantise(const struct eng_quantisation *q, enum eng_dtype x_dtype, const void *x,
                  const float *scale, const void *zero, enum eng_dtype y_dtype, void *y,
                  struct eng_pool *pool)
{
    struct lines lines = lines_for(y_dtype);
    struct run run = {.q = q,
                      .line = x_dtype == ENG_INT32 ? lines.quantise_int32 : lines.quantise,
                      .x = x,
                      .zero = zero,
                      .x_bytes = eng_dtype_bytes(x_dtype),
                      .y_bytes = eng_dtype_bytes(y_dtype),
                      .zero_bytes = eng_dtype_bytes(y_dtype),
                      .scale = scale,
                      .y = y};
    run_all(&run, pool);
}

void eng_dequantise(const struct eng_quantisation *q, enum eng_dtype x_dtype, const void *x,
                    const float *scale, const void *zero, float *y, struct eng_pool *pool)
{
    struct run run = {.q = q,
                      .line = lines_for(x_dtype).dequantise,
                      .x = x,
                      .zero = zero,
                      .x_bytes = eng_dtype_bytes(x_dtype),
                      .y_bytes = sizeof *y,
                      .zero_bytes = eng_dtype_bytes(x_dtype),
                      .scale = scale,
                      .y = (char *)y};
    run_all(&run, pool);
}

/* --- sums of products --- */

void eng_requantise(const int32_t *sums, const float *factor, bool each, int32_t zero,
                    enum eng_dtype y_dtype, void *y, size_t n)
{
    int32_t low = y_dtype == ENG_UINT8 ? 0 : INT8_MIN, high = low + UINT8_MAX;
    uint8_t *bytes = y; /* the same bits for both types */
    float one = factor[0];
    if (!each)
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)clamp(round_within((float)sums[i] * one) + zero, low, high);
    else
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)clamp(round_within((float)sums[i] * factor[i]) + zero, low, high);
}

int32_t eng_integer_at(enum eng_dtype dtype, const void *data, size_t i)
{
    if (!data) return 0;
    switch (dtype) {
    case ENG_UINT8:
        return ((const uint8_t *)data)[i];
    case ENG_INT8:
        return ((const int8_t *)data)[i];
    case ENG_UINT16:
        return ((const uint16_t *)data)[i];
    case ENG_INT16:
        return ((const int16_t *)data)[i];
    default:
        return ((const int32_t *)data)[i];
    }
}
