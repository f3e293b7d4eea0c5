#include "kernels/activation.h"

#include "kernels/dispatch.h"

#include <math.h>
#include <string.h>

void eng_activation_forward(struct eng_activation act, const float *x, float *y, size_t n)
{
    switch (act.kind) {
    case ENG_ACT_NONE:
        if (x != y) memmove(y, x, n * sizeof *y);
        break;
    case ENG_ACT_RELU: /* written so that NaN stays NaN */
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] < 0 ? 0 : x[i];
        break;
    case ENG_ACT_LEAKY_RELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] < 0 ? act.a * x[i] : x[i];
        break;
    case ENG_ACT_CLIP:
        for (size_t i = 0; i < n; i++) {
            float low = x[i] < act.a ? act.a : x[i];
            y[i] = low > act.b ? act.b : low;
        }
        break;
    case ENG_ACT_SIGMOID:
        for (size_t i = 0; i < n; i++)
            y[i] = 1.0f / (1.0f + expf(-x[i]));
        break;
    case ENG_ACT_TANH:
        for (size_t i = 0; i < n; i++)
            y[i] = tanhf(x[i]);
        break;
    case ENG_ACT_ELU:
        for (size_t i = 0; i < n; i++)
            y[i] = x[i] < 0 ? act.a * expm1f(x[i]) : x[i];
        break;
    }
}

enum { GRAIN = 1 << 14 }; /* elements: some microseconds of work */

struct map {
    struct eng_activation act;
    const float *x;
    float *y;
};

static void map_range(void *ctx, size_t begin, size_t end)
{
    const struct map *map = ctx;
    eng_activation_forward(map->act, map->x + begin, map->y + begin, end - begin);
}

void eng_activation_map(struct eng_activation act, const float *x, float *y, size_t n,
                        struct eng_pool *pool)
{
    struct map map = {.act = act, .x = x, .y = y};
    eng_pool_for(pool, n, GRAIN, map_range, &map);
}

void eng_activation_backward(struct eng_activation act, const float *y, const float *dy, float *dx,
                             bool write, size_t n)
{
    if (write && act.kind != ENG_ACT_RELU) memset(dx, 0, n * sizeof *dx);
    switch (act.kind) {
    case ENG_ACT_NONE:
        for (size_t i = 0; i < n; i++)
            dx[i] += dy[i];
        break;
    case ENG_ACT_RELU:
        eng_kernels()->relu_backward(y, dy, dx, write, n);
        break;
    case ENG_ACT_LEAKY_RELU: /* y has the sign of x if a > 0 */
        for (size_t i = 0; i < n; i++)
            dx[i] += y[i] < 0 ? act.a * dy[i] : dy[i];
        break;
    case ENG_ACT_CLIP:
        for (size_t i = 0; i < n; i++)
            dx[i] += y[i] > act.a && y[i] < act.b ? dy[i] : 0;
        break;
    case ENG_ACT_SIGMOID:
        for (size_t i = 0; i < n; i++)
            dx[i] += dy[i] * y[i] * (1 - y[i]);
        break;
    case ENG_ACT_TANH:
        for (size_t i = 0; i < n; i++)
            dx[i] += dy[i] * (1 - y[i] * y[i]);
        break;
    case ENG_ACT_ELU:
        for (size_t i = 0; i < n; i++)
            dx[i] += y[i] > 0 ? dy[i] : dy[i] * (y[i] + act.a);
        break;
    }
}
