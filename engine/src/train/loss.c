#include "train/loss.h"

#include <math.h>

/* One sample: returns its loss and fills grad unless it is NULL. */
typedef double loss_fn(const struct eng_loss_options *options, const float *scores, size_t label,
                       size_t n_classes, float *grad, double grad_scale);

static size_t index_of_max(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

#define PENALTY                                          \
    ENG_F_FLOAT(struct eng_loss_options, l2, 0, 0, 1000, \
                "this times the sum of the squares of all weights joins the loss")

static const struct eng_field cross_entropy_fields[] = {
    PENALTY,
    ENG_F_FLOAT(struct eng_loss_options, label_smoothing, 0, 0, 0.99,
                "share of the target spread evenly over all classes"),
};

/*
 * With m = max s and z = sum exp(s - m): log softmax(s)_c = s_c - m - log z. Subtracting the
 * maximum keeps exp from overflowing, and taking the logarithm of the sum instead of the quotient
 * keeps it from seeing 0.
 */
static double cross_entropy(const struct eng_loss_options *options, const float *scores,
                            size_t label, size_t n_classes, float *grad, double grad_scale)
{
    double max = scores[index_of_max(scores, n_classes)], z = 0, sum = 0;
    for (size_t c = 0; c < n_classes; c++) {
        z += exp(scores[c] - max);
        sum += scores[c] - max;
    }
    double log_z = log(z), smooth = options->label_smoothing;
    double even = smooth / (double)n_classes;
    if (grad)
        for (size_t c = 0; c < n_classes; c++) {
            double target = even + (c == label ? 1 - smooth : 0);
            grad[c] = (float)(grad_scale * (exp(scores[c] - max - log_z) - target));
        }
    double of_label = log_z - (scores[label] - max);
    double of_all = (double)n_classes * log_z - sum;
    return (1 - smooth) * of_label + even * of_all;
}

const struct eng_kind eng_loss_kinds[] = {
#define LOSS(text, prefix) ENG_KIND(text, prefix##_fields),
#include "train/loss.def"
#undef LOSS
};

const size_t eng_n_loss_kinds = sizeof eng_loss_kinds / sizeof *eng_loss_kinds;

static loss_fn *const functions[] = {
#define LOSS(text, prefix) prefix,
#include "train/loss.def"
#undef LOSS
};

struct eng_loss_sum eng_loss_run(const struct eng_loss_options *options, const float *scores,
                                 const struct eng_loss_targets *targets, size_t n, size_t n_classes,
                                 float *grad, double grad_scale)
{
    struct eng_loss_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        const float *row = scores + i * n_classes;
        sum.loss += functions[options->kind](options, row, targets->labels[i], n_classes,
                                             grad ? grad + i * n_classes : NULL, grad_scale);
        sum.n_correct += index_of_max(row, n_classes) == targets->labels[i];
    }
    return sum;
}
