/* The contract of a loss's function; rows of loss.def. */
#ifndef ENG_TRAIN_LOSS_KINDS_H
#define ENG_TRAIN_LOSS_KINDS_H

#include "train/loss.h"

/* One sample: its scores and what they should say. */
struct eng_loss_sample {
    const float *scores; /* [n] */
    size_t n;
    size_t label, other_label; /* the same if nothing is mixed */
    double share;              /* of label; the rest is other_label's */
    const float *values;       /* [n] regression; else NULL */
};

/* Purpose: returns the sample's loss L and, unless grad is NULL, sets grad [n] to
 * grad_scale * dL/dscores. */
typedef double eng_loss_fn(const struct eng_loss_options *options,
                           const struct eng_loss_sample *sample, double grad_scale, float *grad);

#define LOSS(text, name, wants_values) eng_loss_fn eng_loss_##name;
#include "train/loss.def"
#undef LOSS

/* Purpose: what a sample of that class counts. */
static inline double eng_loss_class_weight(const struct eng_loss_options *options, size_t label)
{
    return options->class_weights ? (double)options->class_weights[label] : 1;
}

#endif
