/* Losses: how wrong a batch of scores is, and in which direction. */
#ifndef ENG_TRAIN_LOSS_H
#define ENG_TRAIN_LOSS_H

#include "train/kinds.h"

#include <stddef.h>
#include <stdint.h>

struct eng_loss_options {
    int kind;  /* index into eng_loss_kinds */
    double l2; /* this times the sum of all squared weights joins it; eng_parameters_step does so */
    double label_smoothing; /* cross_entropy: this share of the target goes to all classes evenly */
};

extern const struct eng_kind eng_loss_kinds[];
extern const size_t eng_n_loss_kinds;

/* What a batch amounts to. */
struct eng_loss_sum {
    double loss;      /* summed over the samples */
    size_t n_correct; /* the highest score is the label's */
};

/* What the scores of a batch should say. Borrowed. */
struct eng_loss_targets {
    const uint16_t *labels;       /* [n], each below n_classes; NULL: regression */
    const uint16_t *other_labels; /* [n] of the samples mixed in (mixup); NULL: nothing is mixed */
    const float *shares; /* [n] what labels count, other_labels the rest; with these only */
    const float *values; /* [n], regression: one score a sample; else NULL */
};

/*
 * Purpose: the loss of n samples and, unless grad is NULL, grad = grad_scale * dLoss/dscores.
 * Shapes: scores and grad [n, n_classes], targets as said there.
 * Errors: none; a score that is not finite makes the loss so.
 * Threads: any. Cost: one pass over the scores.
 * Source: cross_entropy: L = -sum_c t_c log softmax(s)_c, dL/ds = softmax(s) - t, as
 *         torch.nn.CrossEntropyLoss with label_smoothing.
 */
struct eng_loss_sum eng_loss_run(const struct eng_loss_options *options, const float *scores,
                                 const struct eng_loss_targets *targets, size_t n, size_t n_classes,
                                 float *grad, double grad_scale);

#endif
