#include "kernels/batchnorm.h"

#include "base/share.h"
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
    return 1 / sqrtf(c->variance[channel] + (float)bn->epsilon);
}

static struct eng_normalisation normalisation_of(const struct eng_batchnorm *bn,
                                                 const struct eng_batchnorm_channels *c,
                                                 size_t channel, bool rectified)
{
    return (struct eng_normalisation){.mean = c->mean[channel],
                                      .factor =
                                          c->scale[channel] * inverse_deviation(bn, c, channel),
                                      .bias = c->bias[channel],
                                      .rectified = rectified};
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
    bool rectified = f->activation.kind == ENG_ACT_RELU;
    for (size_t p = begin; p < end; p++) {
        struct eng_normalisation t =
            normalisation_of(f->bn, f->c, p % f->bn->n_channels, rectified);
        float *y = f->y + p * n;
        eng_kernels()->normalise(&t, f->x + p * n, y, n);
        if (!rectified) eng_activation_forward(f->activation, y, y, n);
    }
}

void eng_batchnorm_forward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                           const float *x, struct eng_activation activation, float *y,
                           struct eng_pool *pool)
{
    struct forward f = {.bn = bn, .c = c, .x = x, .activation = activation, .y = y};
    double n = (double)bn->n_pixels;
    eng_share(pool, bn->n_images * bn->n_channels, 4 * n, 8 * n, forward_planes, &f);
}

/* With z = (x - mean) / deviation: dx = scale / deviation (dy - mean(dy) - z mean(dy z)),
 * without the means if mean and deviation do not depend on x. */
static void backward_channel(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                             size_t channel, const struct eng_batchnorm_gradients *g)
{
    const struct eng_kernels *kernels = eng_kernels();
    struct eng_normalisation t = normalisation_of(bn, c, channel, g->rectified);
    size_t n = bn->n_pixels;
    double sum_dy = 0, sum_dy_z = 0, count = (double)bn->n_images * (double)n;
    for (size_t i = 0; i < bn->n_images; i++) {
        float plane_dy, plane_dy_x;
        kernels->normalise_sums(&t, plane(bn, g->x, i, channel), plane(bn, g->dy, i, channel), n,
                                &plane_dy, &plane_dy_x);
        sum_dy += (double)plane_dy;
        sum_dy_z += (double)plane_dy_x;
    }
    float inverse = inverse_deviation(bn, c, channel);
    sum_dy_z *= (double)inverse;
    if (g->dscale) g->dscale[channel] += (float)sum_dy_z;
    if (g->dbias) g->dbias[channel] += (float)sum_dy;
    float shift = (float)(sum_dy / count), slope = (float)(sum_dy_z / count) * inverse;
    if (bn->fixed) shift = slope = 0;
    for (size_t i = 0; g->dx && i < bn->n_images; i++)
        kernels->normalise_backward(&t, shift, slope, plane(bn, g->x, i, channel),
                                    plane(bn, g->dy, i, channel),
                                    g->dx + (i * bn->n_channels + channel) * n, g->write_dx, n);
}

void eng_batchnorm_backward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                            const struct eng_batchnorm_gradients *gradients)
{
    for (size_t channel = 0; channel < bn->n_channels; channel++)
        backward_channel(bn, c, channel, gradients);
}
