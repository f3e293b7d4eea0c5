/* Methods: how a recipe and its data become a graph that answers. One row of method.def each. */
#ifndef ENG_TRAIN_METHOD_H
#define ENG_TRAIN_METHOD_H

#include "engine/train.h"
#include "graph/graph.h"
#include "train/data.h"
#include "train/history.h"

/* What a method works with and what it makes. Borrowed. */
struct eng_method_run {
    const struct eng_train_options *options;
    const struct eng_recipe *recipe;
    const struct eng_data *data;
    /* Filled by fit; both come initialised, and the caller ends them in any case. */
    struct eng_graph *graph; /* its one output: probabilities [N, n_classes], regression: values */
    struct eng_history *history;
};

struct eng_method {
    /* Recipe keys that belong to this method alone, NULL-terminated. NULL: every key that is
     * neither common to all methods nor another's own. */
    const char *const *keys;
    bool raw_input; /* samples go in as their bytes: scale 1, no standardisation */
    /* Errors: what eng_train says. */
    enum eng_status (*fit)(struct eng_method_run *run, struct eng_error *err);
};

/* NULL-terminated, in the order of method.def: struct eng_recipe's method is an index. */
extern const char *const eng_method_names[];

/* Purpose: whether a recipe of this method may have that key on its top level. */
bool eng_method_takes(int method, const char *key);

/* Purpose: the row. method: an index into eng_method_names. */
const struct eng_method *eng_method_at(int method);

#endif
