#include "kernels/batchnorm.h"

#include <math.h>

void eng_batchnorm_measure_double(const struct eng_batchnorm *bn, const double *x, double *mean,
                                  double *variance)
{
    double n = (double)bn->n_images * (double)bn->n_pixels;
    for (size_t c = 0; c < bn->n_channels; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < bn->n_images; i++)
            for (size_t k = 0; k < bn->n_pixels; k++)
                sum += x[(i * bn->n_channels + c) * bn->n_pixels + k];
        mean[c] = sum / n;
        for (size_t i = 0; i < bn->n_images; i++)
            for (size_t k = 0; k < bn->n_pixels; k++) {
                double distance = x[(i * bn->n_channels + c) * bn->n_pixels + k] - mean[c];
                squares += distance * distance;
            }
        variance[c] = squares / n;
    }
}

void eng_batchnorm_forward_double(const struct eng_batchnorm *bn,
                                  const struct eng_batchnorm_channels_double *c, const double *x,
                                  double *y)
{
    for (size_t plane = 0; plane < bn->n_images * bn->n_channels; plane++) {
        size_t channel = plane % bn->n_channels;
        double factor = c->scale[channel] / sqrt(c->variance[channel] + bn->epsilon);
        for (size_t i = plane * bn->n_pixels; i < (plane + 1) * bn->n_pixels; i++)
            y[i] = (x[i] - c->mean[channel]) * factor + c->bias[channel];
    }
}
