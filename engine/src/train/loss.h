/* Losses: how wrong a batch of scores is, and in which direction. */
#ifndef ENG_TRAIN_LOSS_H
#define ENG_TRAIN_LOSS_H

#include "train/kinds.h"

#include <stddef.h>
#include <stdint.h>

struct eng_loss_options {
    int kind;               /* index into eng_loss_kinds */
    double label_smoothing; /* cross_entropy: this share of the target goes to all classes evenly */
};

extern const struct eng_kind eng_loss_kinds[];
extern const size_t eng_n_loss_kinds;

/* What a batch amounts to. */
struct eng_loss_sum {
    double loss;      /* summed over the samples */
    size_t n_correct; /* the highest score is the label's */
};

/*
 * Purpose: the loss of n samples and, unless grad is NULL, grad = grad_scale * dLoss/dscores.
 * Shapes: scores and grad [n, n_classes], labels [n], each below n_classes.
 * Errors: none; a score that is not finite makes the loss so.
 * Threads: any. Cost: one pass over the scores.
 * Source: cross_entropy: L = -sum_c t_c log softmax(s)_c, dL/ds = softmax(s) - t, as
 *         torch.nn.CrossEntropyLoss with label_smoothing.
 */
struct eng_loss_sum eng_loss_run(const struct eng_loss_options *options, const float *scores,
                                 const uint16_t *labels, size_t n, size_t n_classes, float *grad,
                                 double grad_scale);

#endif
