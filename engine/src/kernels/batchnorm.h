/* Normalisation of each channel over a batch. */
#ifndef ENG_KERNELS_BATCHNORM_H
#define ENG_KERNELS_BATCHNORM_H

#include "engine/pool.h"
#include "kernels/activation.h"

#include <stdbool.h>

/* x is [n_images, n_channels, n_pixels]. */
struct eng_batchnorm {
    size_t n_images, n_channels, n_pixels;
    double epsilon;
    bool fixed; /* backward: mean and variance were not measured on x */
};

/* One value per channel: [n_channels] each. */
struct eng_batchnorm_channels {
    const float *scale, *bias;
    const float *mean, *variance;
};

/* Purpose: mean and (population) variance of each channel of x. Two passes, for accuracy. */
void eng_batchnorm_measure(const struct eng_batchnorm *bn, const float *x, float *mean,
                           float *variance);

/* Purpose: y = activation(scale (x - mean) / sqrt(variance + epsilon) + bias); x == y is allowed.
 */
void eng_batchnorm_forward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                           const float *x, struct eng_activation activation, float *y,
                           struct eng_pool *pool);

/* What backward reads and fills; dx, dscale and dbias may be NULL. */
struct eng_batchnorm_gradients {
    const float *x, *dy;
    float *dx, *dscale, *dbias;
    bool write_dx;  /* dx = instead of dx += */
    bool rectified; /* forward's activation was ReLU: dy is the gradient behind it */
};

/* Purpose: adds the gradients, where c->mean and c->variance were measured on x itself and so
 * depend on it, or are fixed. */
void eng_batchnorm_backward(const struct eng_batchnorm *bn, const struct eng_batchnorm_channels *c,
                            const struct eng_batchnorm_gradients *gradients);

/* The same in double, without an activation. */
struct eng_batchnorm_channels_double {
    const double *scale, *bias;
    const double *mean, *variance;
};

void eng_batchnorm_measure_double(const struct eng_batchnorm *bn, const double *x, double *mean,
                                  double *variance);
void eng_batchnorm_forward_double(const struct eng_batchnorm *bn,
                                  const struct eng_batchnorm_channels_double *c, const double *x,
                                  double *y);

#endif
