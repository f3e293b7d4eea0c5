#include "kernels/softmax.h"

#include "base/share.h"
#include "kernels/dispatch.h"
#include "kernels/order.h"

/* One line of n elements, `inner` apart. */
#define DEFINE_LINE(TYPE, EXP, LOG)                                              \
    static void line_##TYPE(const struct eng_softmax *s, const TYPE *x, TYPE *y) \
    {                                                                            \
        TYPE max = x[0], sum = 0;                                                \
        size_t n = s->n, step = s->inner;                                        \
        for (size_t i = 1; i < n; i++)                                           \
            max = x[i * step] > max ? x[i * step] : max;                         \
        for (size_t i = 0; i < n; i++) {                                         \
            TYPE shifted = x[i * step] - max, e = EXP(shifted);                  \
            sum += e;                                                            \
            y[i * step] = s->log ? shifted : e;                                  \
        }                                                                        \
        TYPE log_sum = s->log ? LOG(sum) : 0, scale = 1 / sum;                   \
        for (size_t i = 0; i < n; i++)                                           \
            y[i * step] = s->log ? y[i * step] - log_sum : y[i * step] * scale;  \
    }

DEFINE_LINE(float, expf, logf)
DEFINE_LINE(double, exp, log)

static size_t line_start(const struct eng_softmax *s, size_t line)
{
    return line / s->inner * s->n * s->inner + line % s->inner;
}

struct forward {
    const struct eng_softmax *s;
    enum eng_dtype dtype;
    const void *x;
    void *y;
};

/* Side by side in memory a line is a vector kernel's. */
static void float_line(const struct eng_softmax *s, const float *x, float *y)
{
    if (s->inner > 1)
        line_float(s, x, y);
    else if (s->log)
        eng_kernels()->log_softmax(x, y, s->n);
    else
        eng_kernels()->softmax(x, y, s->n);
}

static void forward_lines(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    for (size_t line = begin; line < end; line++) {
        size_t at = line_start(f->s, line);
        if (f->dtype == ENG_FLOAT32)
            float_line(f->s, (const float *)f->x + at, (float *)f->y + at);
        else
            line_double(f->s, (const double *)f->x + at, (double *)f->y + at);
    }
}

enum { FLOPS = 30 }; /* of an element */

void eng_softmax_forward_typed(const struct eng_softmax *s, enum eng_dtype dtype, const void *x,
                               void *y, struct eng_pool *pool)
{
    struct forward f = {.s = s, .dtype = dtype, .x = x, .y = y};
    if (s->n == 0) return;
    eng_share(pool, s->outer * s->inner, FLOPS * (double)s->n, 8 * (double)s->n, forward_lines, &f);
}

void eng_softmax_forward(const struct eng_softmax *s, const float *x, float *y)
{
    eng_softmax_forward_typed(s, ENG_FLOAT32, x, y, NULL);
}

/* softmax: dx = y (dy - sum(dy y)); log: dx = dy - exp(y) sum(dy). */
static void backward_line(const float *y, const float *dy, float *dx, size_t n, size_t step,
                          bool log)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log ? dy[i * step] : dy[i * step] * y[i * step];
    for (size_t i = 0; i < n; i++) {
        size_t at = i * step;
        dx[at] += log ? dy[at] - expf(y[at]) * sum : y[at] * (dy[at] - sum);
    }
}

void eng_softmax_backward(const struct eng_softmax *s, const float *y, const float *dy, float *dx)
{
    for (size_t line = 0; line < s->outer * s->inner; line++) {
        size_t at = line_start(s, line);
        backward_line(y + at, dy + at, dx + at, s->n, s->inner, s->log);
    }
}

void eng_hardmax_forward(const struct eng_softmax *s, enum eng_dtype dtype, const void *x, void *y)
{
    for (size_t line = 0; s->n > 0 && line < s->outer * s->inner; line++) {
        size_t at = line_start(s, line), best = at;
        for (size_t i = 0; i < s->n; i++) {
            size_t here = at + i * s->inner;
            if (eng_order_key(dtype, x, here) > eng_order_key(dtype, x, best)) best = here;
        }
        for (size_t i = 0; i < s->n; i++) {
            size_t here = at + i * s->inner;
            if (dtype == ENG_FLOAT32)
                ((float *)y)[here] = here == best ? 1 : 0;
            else
                ((double *)y)[here] = here == best ? 1 : 0;
        }
    }
}
