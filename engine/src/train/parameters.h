/*
 * What training adjusts: the trainable constants of a graph, laid end to end in one numbering, and
 * behind them its state: what operators observe while they train (running means and variances).
 */
#ifndef ENG_TRAIN_PARAMETERS_H
#define ENG_TRAIN_PARAMETERS_H

#include "engine/pool.h"
#include "graph/graph.h"
#include "train/optimiser.h"

#include <stddef.h>

/* A stretch of one constant: small enough that several threads can share an update. */
struct eng_parameter_piece {
    float *data;  /* in the graph */
    size_t first; /* its number */
    size_t n;
    bool is_weight; /* what a penalty is for; else a bias, or a normalisation's parameter */
    double gradient_squares; /* of the last step: squared length of its gradient */
    double weight_squares;   /* and, if there was an L2 penalty, of the weights before the step */
};

struct eng_parameters {
    size_t n;       /* floats that gradients move */
    size_t n_state; /* floats that eng_exec_commit writes; numbered from n on */
    size_t *first;  /* [n_values] number of the value's first float, SIZE_MAX: not trainable */
    struct eng_parameter_piece *pieces; /* [n_pieces], then [n_state_pieces] of the state */
    size_t n_pieces, n_state_pieces;
};

/* Purpose: finds them. Borrows the graph. End with eng_parameters_fini.
 * Errors: FORMAT (there are none), NO_MEMORY. */
enum eng_status eng_parameters_init(struct eng_parameters *parameters,
                                    const struct eng_graph *graph, struct eng_error *err);
void eng_parameters_fini(struct eng_parameters *parameters);

struct eng_step_options {
    double learning_rate;
    double l2;        /* the loss has l2 * (sum of w^2 over all weights) beside it; 0: none */
    double clip_norm; /* a longer gradient is shortened to this; 0: it is not */
};

/* What a step met. */
struct eng_step_result {
    double gradient_norm; /* L2, before clipping */
    double penalty;       /* of the weights before the step */
};

/*
 * Purpose: one step: sums the shards' gradients in shard order, adds the penalty's, clips, and lets
 * the optimiser move every parameter. If gradient_norm is not finite, a step with clipping moves
 * nothing; without clipping the parameters may not be finite either.
 * Shapes: gradients [n_shards] of [parameters->n], only read.
 * Threads: pieces run on the pool; the result does not depend on it.
 * Cost: without clipping one pass over gradients, parameters and the optimiser's memory; with
 *       clipping the gradients are read twice.
 * Source: torch.nn.utils.clip_grad_norm_; Pascanu, Mikolov and Bengio 2013, algorithm 1.
 */
struct eng_step_result eng_parameters_step(struct eng_parameters *parameters,
                                           struct eng_optimiser *optimiser,
                                           const struct eng_step_options *options,
                                           float *const *gradients, size_t n_shards,
                                           struct eng_pool *pool);

/* Purpose: floats of a copy of everything: parameters and state. */
size_t eng_parameters_count(const struct eng_parameters *parameters);

/* Purpose: copies everything out of the graph, into it, or both at once.
 * Shapes: floats [eng_parameters_count]. Threads: nobody may run the graph meanwhile. */
void eng_parameters_read(const struct eng_parameters *parameters, float *floats);
void eng_parameters_write(const struct eng_parameters *parameters, const float *floats);
void eng_parameters_swap(const struct eng_parameters *parameters, float *floats);

/*
 * Purpose: average = decay * average + (1 - decay) * graph, over parameters and state.
 * Shapes: average [eng_parameters_count]. Threads: pieces run on the pool.
 * Source: Polyak and Juditsky 1992, with exponentially falling weights.
 */
void eng_parameters_average(const struct eng_parameters *parameters, double decay, float *average,
                            struct eng_pool *pool);

#endif
