/* The plain graph with all its weights, for what goes backwards through it: explanations. */
#ifndef ENG_MODEL_WHOLE_H
#define ENG_MODEL_WHOLE_H

#include "model/model_internal.h"

struct eng_model_whole {
    const struct eng_model *model; /* this is to be used */
    struct eng_model again;        /* if it is not the one asked for: that one with another graph */
};

/*
 * Purpose: a model like this one that lacks no weights: itself, or, if it gave back what only
 * inference's packed form is read of, one whose graph is made again from the file. Values and nodes
 * have the same numbers.
 * Ownership: borrows model until eng_model_whole_end.
 * Errors: MISMATCH when the file holds other bytes than those that were loaded; IO, NO_MEMORY.
 * Threads: any. Cost: nothing, or that of reading the file.
 */
enum eng_status eng_model_whole_begin(const struct eng_model *model, struct eng_model_whole *whole,
                                      struct eng_error *err);
void eng_model_whole_end(struct eng_model_whole *whole);

#endif
