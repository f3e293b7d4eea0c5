/*
 * Mean squared error: L = 1/K sum over the K scores of (s_k - v_k)^2, dL/ds_k = 2/K (s_k - v_k).
 * The mean over samples is torch.nn.MSELoss.
 */
#include "train/loss_kinds.h"

static double error_of(const struct eng_loss_sample *sample, size_t k)
{
    return (double)sample->scores[k] - (double)sample->values[k];
}

double eng_loss_mean_squared_error(const struct eng_loss_options *options,
                                   const struct eng_loss_sample *sample, double grad_scale,
                                   float *grad)
{
    (void)options;
    double sum = 0, n = (double)sample->n;
    for (size_t k = 0; k < sample->n; k++) {
        double error = error_of(sample, k);
        sum += error * error;
        if (grad) grad[k] = (float)(grad_scale * 2 / n * error);
    }
    return sum / n;
}
