/* From a recipe's layers to a graph. */
#ifndef ENG_TRAIN_NETWORK_H
#define ENG_TRAIN_NETWORK_H

#include "graph/graph.h"
#include "train/base_model.h"
#include "train/input.h"
#include "train/recipe.h"

#include <stddef.h>
#include <stdint.h>

/* What comes in and goes out. */
struct eng_network_shape {
    const struct eng_input *input;
    size_t n_outputs;                  /* classes, or 1 for regression */
    const struct eng_dataset *train;   /* that first weights may look at */
    const struct eng_base_model *base; /* to go on from instead of the recipe's layers; or NULL */
};

/* Where in the graph things are. */
struct eng_network {
    int input;   /* "image" [N, channels, height, width] or "features" [N, features] */
    int scores;  /* [N, n_outputs], the graph's output while it is trained */
    int answers; /* the output afterwards, if the graph has it already; else ENG_NO_VALUE */
};

/*
 * Purpose: appends the layers one after the other, branches side by side, with first weights from
 * the seed, and marks what is trainable. graph comes initialised. Errors: FORMAT, UNSUPPORTED or
 * ARGUMENT, naming recipe, layer and reason; LIMIT; NO_MEMORY.
 */
enum eng_status eng_network_build(const struct eng_recipe *recipe,
                                  const struct eng_network_shape *shape, struct eng_graph *graph,
                                  struct eng_network *out, struct eng_error *err);

/*
 * Purpose: when training is over: appends, unless the graph has one, a Softmax and makes its
 * "probabilities" the output; of a regression the scores themselves become the output, as
 * "prediction". Plans made before are void.
 */
enum eng_status eng_network_finish(struct eng_graph *graph, const struct eng_network *network,
                                   bool is_regression, struct eng_error *err);

#endif
