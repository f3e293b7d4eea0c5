#include "kernels/batchnorm.h"

#include "kernels/dispatch.h"

#include <math.h>

static const float *plane(const struct eng_batchnorm *bn, const float *x, size_t image,
                          size_t channel)
{
    return x + (image * bn->n_channels + channel) * bn->n_pixels;
}

/* Sums are floats within a plane, doubles across planes. */

void eng_batchnorm_measure(const struct eng_batchnorm *bn, const float *x, float *mean,
                           float *variance)
{
    const struct eng_kernels *kernels = eng_kernels();
    double n = (double)bn->n_images * (double)bn->n_pixels;
    for (size_t c = 0; c < bn->n_channels; c++) {
        /* Sums of distances from some element stay small where the values are far from 0. */
        float origin = *plane(bn, x, 0, c);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < bn->n_images; i++)
            sum += (double)kernels->sum(plane(bn, x, i, c), origin, bn->n_pixels);
        mean[c] = (float)((double)origin + sum / n);
        for (size_t i = 0; i < bn->n_images; i++)
            squares += (double)kernels->sum_squares(plane(bn, x, i, c), mean[c], bn->n_pixels);
        variance[c] = (float)(squares / n);
    }
}

static float inverse_deviation(const struct eng_batchnorm *bn,
                               const struct eng_batchnorm_channels *c, size_t channel)
{
    return 1 / sqrtf(c->variance[channel] + bn->epsilon);
}

struct forward {
    const struct eng_batchnorm *bn;
    const struct eng_batchnorm_channels *c;
    const float *x;
    struct eng_activation activation;
    float *y;
};

static void forward_planes(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    size_t n = f->bn->n_pixels;
    for (size_t p = begin; p < end; p++) {
        size_t channel = p % f->bn->n_channels;
        float factor = f->c->scale[channel] * inverse_deviation(f->bn, f->c, channel);
        float mean = f->c->mean[channel], bias = f->c->bias[channel];
        const float *x = f->x + p * n;
        float *y = f->y + p * n;
        for (size_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * factor + bias;
        eng_activation_forward(f->activation, y, y, n);
    }
}

enum { ELEMENTS_PER_CHUNK = 1 << 14 };

void eng_batchnorm_forward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                           const float *x, struct eng_activation activation, float *y,
                           struct eng_pool *pool)
{
    struct forward f = {.bn = bn, .c = c, .x = x, .activation = activation, .y = y};
    eng_pool_for(pool, bn->n_images * bn->n_channels, ELEMENTS_PER_CHUNK / (bn->n_pixels + 1) + 1,
                 forward_planes, &f);
}

/* With z = (x - mean) / deviation: dx = scale / deviation (dy - mean(dy) - z mean(dy z)). */
static void backward_channel(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                             size_t channel, const float *x, const float *dy, float *dx,
                             float *dscale, float *dbias)
{
    const struct eng_kernels *kernels = eng_kernels();
    size_t n = bn->n_pixels;
    float mean = c->mean[channel], inverse = inverse_deviation(bn, c, channel);
    double sum_dy = 0, sum_dy_z = 0, count = (double)bn->n_images * (double)n;
    for (size_t i = 0; i < bn->n_images; i++) {
        const float *dy_plane = plane(bn, dy, i, channel);
        sum_dy += (double)kernels->sum(dy_plane, 0, n);
        sum_dy_z += (double)kernels->sum_products(plane(bn, x, i, channel), mean, dy_plane, n);
    }
    sum_dy_z *= (double)inverse;
    if (dscale) dscale[channel] += (float)sum_dy_z;
    if (dbias) dbias[channel] += (float)sum_dy;
    float factor = c->scale[channel] * inverse;
    float shift = (float)(sum_dy / count), slope = (float)(sum_dy_z / count) * inverse;
    for (size_t image = 0; dx && image < bn->n_images; image++) {
        const float *x_plane = plane(bn, x, image, channel),
                    *dy_plane = plane(bn, dy, image, channel);
        float *dx_plane = dx + (image * bn->n_channels + channel) * n;
        for (size_t i = 0; i < n; i++)
            dx_plane[i] += factor * (dy_plane[i] - shift - slope * (x_plane[i] - mean));
    }
}

void eng_batchnorm_backward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                            const float *x, const float *dy, float *dx, float *dscale, float *dbias)
{
    for (size_t channel = 0; channel < bn->n_channels; channel++)
        backward_channel(bn, c, channel, x, dy, dx, dscale, dbias);
}
