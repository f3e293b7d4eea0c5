/*
 * Cross entropy of the softmax: p_c = exp(s_c) / sum_k exp(s_k), L = -sum_c w_c t_c log p_c, and
 * dL/ds_c = (sum_k w_k t_k) p_c - w_c t_c. t says what is wanted, w what the classes count.
 * torch.nn.CrossEntropyLoss(weight, label_smoothing), sum over the samples.
 */
#include "train/loss_kinds.h"

#include <math.h>

/* t_c: 1 for the label; of mixed samples each label's share; smoothed: some for everybody. */
static double target(const struct eng_loss_options *options, const struct eng_loss_sample *sample,
                     size_t c)
{
    double of_labels = (c == sample->label ? sample->share : 0) +
                       (c == sample->other_label ? 1 - sample->share : 0);
    double smooth = options->label_smoothing;
    return smooth / (double)sample->n + (1 - smooth) * of_labels;
}

/* w_c t_c. */
static double weighted_target(const struct eng_loss_options *options,
                              const struct eng_loss_sample *sample, size_t c)
{
    return eng_loss_class_weight(options, c) * target(options, sample, c);
}

/* log sum_c exp(s_c) = m + log sum_c exp(s_c - m) with m = max s: exp cannot overflow. */
static double log_sum_exp(const float *scores, size_t n)
{
    double max = (double)scores[0], sum = 0;
    for (size_t c = 1; c < n; c++)
        if ((double)scores[c] > max) max = (double)scores[c];
    for (size_t c = 0; c < n; c++)
        sum += exp((double)scores[c] - max);
    return max + log(sum);
}

/* log p_c: a difference of logarithms, since p_c itself may round to 0. */
static double log_probability(const struct eng_loss_sample *sample, size_t c, double log_sum)
{
    return (double)sample->scores[c] - log_sum;
}

static double negative_log_likelihood(const struct eng_loss_options *options,
                                      const struct eng_loss_sample *sample, double log_sum)
{
    double loss = 0;
    for (size_t c = 0; c < sample->n; c++)
        loss -= weighted_target(options, sample, c) * log_probability(sample, c, log_sum);
    return loss;
}

static void gradient(const struct eng_loss_options *options, const struct eng_loss_sample *sample,
                     double log_sum, double grad_scale, float *grad)
{
    double total = 0;
    for (size_t c = 0; c < sample->n; c++)
        total += weighted_target(options, sample, c);
    for (size_t c = 0; c < sample->n; c++) {
        double p = exp(log_probability(sample, c, log_sum));
        grad[c] = (float)(grad_scale * (total * p - weighted_target(options, sample, c)));
    }
}

double eng_loss_cross_entropy(const struct eng_loss_options *options,
                              const struct eng_loss_sample *sample, double grad_scale, float *grad)
{
    double log_sum = log_sum_exp(sample->scores, sample->n);
    if (grad) gradient(options, sample, log_sum, grad_scale, grad);
    return negative_log_likelihood(options, sample, log_sum);
}
