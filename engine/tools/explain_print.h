/* An explanation in words and in JSON: what classify explain says beside its picture. */
#ifndef TOOLS_EXPLAIN_PRINT_H
#define TOOLS_EXPLAIN_PRINT_H

#include "engine/explain.h"
#include "json.h"

/* Purpose: a few lines to stdout. */
void tool_explanation_print(const struct eng_explanation *explanation, const struct eng_card *card);

/*
 * Purpose: all of it, the raw map as a list of rows, as JSON on one line to stdout; the keys are
 * those of POST /explain, "model" and "file" the paths. Errors: FORMAT, NO_MEMORY, IO.
 */
enum eng_status tool_explanation_print_json(const struct eng_explanation *explanation,
                                            const struct eng_model *model, const char *model_path,
                                            const char *image_path, struct eng_error *err);

/* Purpose: the neighbours as a list of objects; NULL when a label is not UTF-8. New reference. */
json_t *tool_neighbours_json(const struct eng_explanation *explanation, const char *const *labels);

/* Purpose: how the neighbours' distances were measured: "L1", "L2". */
const char *tool_distance_name(const struct eng_explanation *explanation);

#endif
