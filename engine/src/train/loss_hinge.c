/*
 * Multiclass hinge loss (Weston and Watkins 1999): L = w_y sum over j != y of
 * max(0, s_j - s_y + margin). For each j whose term is above 0, dL/ds_j is w_y and dL/ds_y gets
 * -w_y. torch.nn.MultiMarginLoss(margin, weight), sum over the samples, times the number of
 * classes.
 */
#include "train/loss_kinds.h"

/* By how much class j comes closer to class y than the margin allows; 0: it does not. */
static double violation(const float *scores, size_t j, size_t y, double margin)
{
    double by = (double)scores[j] - (double)scores[y] + margin;
    return by > 0 || by != by ? by : 0; /* a score that is no number shows in the loss */
}

static double hinge_of(const struct eng_loss_options *options, const struct eng_loss_sample *sample,
                       size_t label)
{
    double sum = 0;
    for (size_t j = 0; j < sample->n; j++)
        if (j != label) sum += violation(sample->scores, j, label, options->margin);
    return eng_loss_class_weight(options, label) * sum;
}

/* Adds scale * dL/ds for the one label. */
static void add_gradient(const struct eng_loss_options *options,
                         const struct eng_loss_sample *sample, size_t label, double scale,
                         float *grad)
{
    float step = (float)(scale * eng_loss_class_weight(options, label));
    size_t n_violations = 0;
    for (size_t j = 0; j < sample->n; j++)
        if (j != label && violation(sample->scores, j, label, options->margin) > 0) {
            grad[j] += step;
            n_violations++;
        }
    grad[label] -= step * (float)n_violations;
}

double eng_loss_hinge(const struct eng_loss_options *options, const struct eng_loss_sample *sample,
                      double grad_scale, float *grad)
{
    double share = sample->share;
    double loss = share * hinge_of(options, sample, sample->label);
    if (share < 1) loss += (1 - share) * hinge_of(options, sample, sample->other_label);
    if (!grad) return loss;
    for (size_t c = 0; c < sample->n; c++)
        grad[c] = 0;
    add_gradient(options, sample, sample->label, grad_scale * share, grad);
    if (share < 1)
        add_gradient(options, sample, sample->other_label, grad_scale * (1 - share), grad);
    return loss;
}
