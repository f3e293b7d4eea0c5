/* Optimisers: from gradients to new parameters. Names, keys and formulas are PyTorch's. */
#ifndef ENG_TRAIN_OPTIMISER_H
#define ENG_TRAIN_OPTIMISER_H

#include "engine/status.h"
#include "train/kinds.h"

#include <stddef.h>

struct eng_optimiser_options {
    int kind; /* index into eng_optimiser_kinds */
    double learning_rate;
    double weight_decay;
    bool decay_weights_only;
    double bias_factor;           /* of the learning rate, for what is not a weight */
    double momentum;              /* SGD */
    bool nesterov;                /* SGD */
    double beta1, beta2, epsilon; /* Adam, AdamW */
};

extern const struct eng_kind eng_optimiser_kinds[];
extern const size_t eng_n_optimiser_kinds;

/* What is remembered between steps about n parameters that lie side by side. */
struct eng_optimiser {
    const struct eng_optimiser_options *options; /* borrowed */
    size_t n;
    float *memory; /* [n_floats]: [slots, n] */
    size_t n_floats;
    size_t n_steps;         /* done so far */
    float m_scale, v_scale; /* of this step: Adam's corrections of moments that began at 0 */
};

/* Errors: NO_MEMORY. End with eng_optimiser_fini. */
enum eng_status eng_optimiser_init(struct eng_optimiser *optimiser,
                                   const struct eng_optimiser_options *options, size_t n,
                                   struct eng_error *err);
void eng_optimiser_fini(struct eng_optimiser *optimiser);

/* Purpose: opens the next step; then eng_optimiser_update once for every range of parameters. */
void eng_optimiser_begin_step(struct eng_optimiser *optimiser);

/*
 * Purpose: moves parameters [first, first + n), all of them weights or none, against their
 *          gradients.
 * Shapes: parameters and gradients point at the first of the n.
 * Threads: ranges that do not overlap may run at the same time.
 * Source: torch.optim.SGD (dampening 0), Adam (weight_decay is an L2 penalty), AdamW (decoupled).
 */
void eng_optimiser_update(const struct eng_optimiser *optimiser, double learning_rate,
                          bool is_weight, size_t first, size_t n, const float *gradients,
                          float *parameters);

#endif
