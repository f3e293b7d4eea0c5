/* Losses: how wrong a batch of scores is, and in which direction. */
#ifndef ENG_TRAIN_LOSS_H
#define ENG_TRAIN_LOSS_H

#include "engine/status.h"
#include "train/kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eng_loss_options {
    int kind;  /* index into eng_loss_kinds */
    double l2; /* this times the sum of all squared weights joins it; eng_parameters_step does so */
    double label_smoothing; /* cross_entropy: this share of the target goes to all classes evenly */
    double margin;          /* hinge: by how much the label's score is to be the highest */
    const float *class_weights; /* [n_class_weights] what a sample of a class counts; NULL: 1 */
    size_t n_class_weights;
    bool balanced; /* class_weights from how often each class occurs */
};

extern const struct eng_kind eng_loss_kinds[];
extern const size_t eng_n_loss_kinds;

/* Purpose: whether the kind wants regression's targets instead of labels. */
bool eng_loss_wants_values(int kind);

/* What a batch amounts to. */
struct eng_loss_sum {
    double loss;      /* summed over the samples */
    size_t n_correct; /* the highest score is the label's, of mixed ones the larger share's */
};

/* What the scores of a batch should say. Borrowed. */
struct eng_loss_targets {
    const uint16_t *labels;       /* [n], each below n_classes; NULL: regression */
    const uint16_t *other_labels; /* [n] of the samples mixed in (mixup); NULL: nothing is mixed */
    const float *shares; /* [n] what labels count, other_labels the rest; with these only */
    const float *values; /* [n, n_classes] regression: n_classes scores a sample; else NULL */
};

/*
 * Purpose: makes the final class weights, if the recipe has any: scaled so that a training sample
 *          counts 1 on average; "balanced" gives class c of K that occur n / (K n_c). With the mean
 *          over all training samples that is torch.nn.CrossEntropyLoss(weight); in a batch the
 *          divisor stays the number of samples, so that what a sample counts does not depend on its
 *          neighbours.
 * Shapes: labels [n] below n_classes, may be NULL without class weights; class_weights [n_classes],
 *         to which options->class_weights points afterwards, unless there are none.
 * Errors: FORMAT: another number of weights than of classes, weights that make every training
 *         sample count 0; NO_MEMORY.
 */
enum eng_status eng_loss_prepare(struct eng_loss_options *options, const uint16_t *labels, size_t n,
                                 size_t n_classes, float *class_weights, struct eng_error *err);

/*
 * Purpose: the loss of n samples and, unless grad is NULL, grad = grad_scale * dLoss/dscores.
 * Shapes: scores and grad [n, n_classes], targets as said there, class_weights [n_classes] or NULL.
 * Errors: none; a score that is not finite makes the loss so.
 * Threads: any. Cost: one pass over the scores, hinge with mixup two.
 * Source: the formulas stand with each loss in loss_*.c, PyTorch's names beside them. Mixed
 *         samples: share * loss of label + (1 - share) * loss of the other label (Zhang 2017).
 */
struct eng_loss_sum eng_loss_run(const struct eng_loss_options *options, const float *scores,
                                 const struct eng_loss_targets *targets, size_t n, size_t n_classes,
                                 float *grad, double grad_scale);

#endif
