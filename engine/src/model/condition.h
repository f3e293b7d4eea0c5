/* What an If decides by, where shapes and constants tell. */
#ifndef ENG_MODEL_CONDITION_H
#define ENG_MODEL_CONDITION_H

#include "graph/shape.h"

/* Infers a graph that is being built, as far as it is there, for one sample and for two. */
struct eng_condition {
    struct eng_arena arena;
    struct eng_shape_walk walks[2];
    size_t capacity[2];       /* of their tensors */
    size_t n_values, n_nodes; /* so many have been looked at */
    bool begun, two_fails;
};

/* Ownership: borrows graph; end with eng_condition_fini. */
void eng_condition_init(struct eng_condition *condition, const struct eng_graph *graph);
void eng_condition_fini(struct eng_condition *condition);

/*
 * Purpose: the bool that is known without the picture and whatever the number of samples.
 * Errors: UNSUPPORTED, saying what to do, if there is none; FORMAT if value is no single bool;
 * those of eng_shape_infer. Cost: each node of the graph is inferred once for all conditions.
 */
enum eng_status eng_condition_find(struct eng_condition *condition, int value, bool *out,
                                   struct eng_error *err);

#endif
