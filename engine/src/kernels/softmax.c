#include "kernels/softmax.h"

#include <math.h>

/* One line of n elements, step apart. */
static void forward_line(const float *x, float *y, size_t n, size_t step, bool log)
{
    float max = x[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        max = x[i * step] > max ? x[i * step] : max;
    for (size_t i = 0; i < n; i++) {
        float shifted = x[i * step] - max, e = expf(shifted);
        sum += e;
        y[i * step] = log ? shifted : e;
    }
    float log_sum = log ? logf(sum) : 0, scale = 1 / sum;
    for (size_t i = 0; i < n; i++)
        y[i * step] = log ? y[i * step] - log_sum : y[i * step] * scale;
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

void eng_softmax_forward(const struct eng_softmax *s, const float *x, float *y)
{
    if (s->n == 0) return;
    for (size_t o = 0; o < s->outer; o++)
        for (size_t i = 0; i < s->inner; i++) {
            size_t at = o * s->n * s->inner + i;
            forward_line(x + at, y + at, s->n, s->inner, s->log);
        }
}

void eng_softmax_backward(const struct eng_softmax *s, const float *y, const float *dy, float *dx)
{
    for (size_t o = 0; o < s->outer; o++)
        for (size_t i = 0; i < s->inner; i++) {
            size_t at = o * s->n * s->inner + i;
            backward_line(y + at, dy + at, dx + at, s->n, s->inner, s->log);
        }
}
