/* The exponential moving average of a network's weights, kept while they are trained. */
#ifndef ENG_TRAIN_AVERAGE_H
#define ENG_TRAIN_AVERAGE_H

#include "base/fields.h"
#include "train/parameters.h"

struct eng_average_options {
    bool on;
    double decay;
    int64_t every_steps;
};

extern const struct eng_field eng_average_fields[];
extern const size_t eng_n_average_fields;

struct eng_average {
    float *floats; /* [eng_parameters_count]; NULL: off */
    size_t n;      /* how often the weights joined it */
};

/* Errors: NO_MEMORY. End with eng_average_fini; a zeroed struct is accepted there. */
enum eng_status eng_average_init(struct eng_average *average,
                                 const struct eng_average_options *options,
                                 const struct eng_parameters *parameters, struct eng_error *err);
void eng_average_fini(struct eng_average *average);

/*
 * Purpose: after step number n_steps (from 1): lets the weights join if it is their turn. The first
 *          ones begin the average. BatchNormalization's running statistics are averaged like
 *          weights, so that they stay those of the averaged network.
 * Source: torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn and use_buffers.
 */
void eng_average_step(struct eng_average *average, const struct eng_average_options *options,
                      const struct eng_parameters *parameters, size_t n_steps,
                      struct eng_pool *pool);

/* Purpose: exchanges weights and average; a second call undoes it. Nothing without an average. */
void eng_average_swap(struct eng_average *average, const struct eng_parameters *parameters);

#endif
