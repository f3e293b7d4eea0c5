/* A classifier's answers over a whole data set, and what they add up to. */
#ifndef TOOLS_EVALUATE_H
#define TOOLS_EVALUATE_H

#include "engine/model.h"
#include "train/dataset.h"

#include <stddef.h>
#include <stdint.h>

struct tool_evaluation {
    size_t n_samples, n_classes; /* classes of the model */
    size_t n_correct;
    uint32_t *predicted; /* [n_samples] the most probable class; the lowest of equal ones */
    size_t *confusion; /* [n_classes, n_classes] rows: the data's label, columns: the prediction */
};

/*
 * Purpose: classifies every sample with n_threads sessions, in batches of the model's largest.
 * Ownership: end with tool_evaluation_fini.
 * Errors: MISMATCH when the data have more classes than the model; NO_MEMORY, LIMIT, IO.
 */
enum eng_status tool_evaluate(const struct eng_model *model, const struct eng_dataset *set,
                              int n_threads, struct tool_evaluation *out, struct eng_error *err);

void tool_evaluation_fini(struct tool_evaluation *evaluation);

/* Purpose: how many samples the data have of a class. */
size_t tool_evaluation_of_class(const struct tool_evaluation *evaluation, size_t class);

#endif
