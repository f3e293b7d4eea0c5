/* A classifier's answers over a whole data set, and what they add up to. */
#ifndef TOOLS_EVALUATE_H
#define TOOLS_EVALUATE_H

#include "engine/model.h"
#include "photos.h"
#include "train/dataset.h"

#include <stddef.h>
#include <stdint.h>

struct tool_evaluation {
    size_t n_samples, n_classes; /* classes of the model; 0: regression */
    double seconds;              /* that the answers took */

    size_t n_correct;
    size_t n_among_top_5; /* the label is one of the five most probable classes */
    uint32_t *predicted;  /* [n_samples] the most probable class; the lowest of equal ones */
    size_t *confusion; /* [n_classes, n_classes] rows: the data's label, columns: the prediction */

    float *values;             /* regression: [n_samples] the predicted numbers */
    double mean_squared_error; /* regression: of values and targets */
    double r_squared; /* 1 - that / the targets' variance; NAN if all targets are the same */
};

/*
 * Purpose: asks about every sample with n_threads sessions, in batches of the model's largest.
 * Ownership: end with tool_evaluation_fini.
 * Errors: UNSUPPORTED when the model takes neither pictures nor vectors; MISMATCH when the data are
 *         of another kind or have more classes than the model; NO_MEMORY, LIMIT, IO.
 */
enum eng_status tool_evaluate(const struct eng_model *model, const struct eng_dataset *set,
                              int n_threads, struct tool_evaluation *out, struct eng_error *err);

/*
 * Purpose: the same of photographs: each is decoded when its turn comes, and prepared as the model
 * says.
 * Errors: MISMATCH when the model does not classify pictures or a class lies beyond its own; those
 *         of eng_image_load, naming the file.
 */
enum eng_status tool_evaluate_photos(const struct eng_model *model,
                                     const struct tool_photos *photos, int n_threads,
                                     struct tool_evaluation *out, struct eng_error *err);

void tool_evaluation_fini(struct tool_evaluation *evaluation);

/* Purpose: how many samples the data have of a class. */
size_t tool_evaluation_of_class(const struct tool_evaluation *evaluation, size_t class);

#endif
