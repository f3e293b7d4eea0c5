/* The trained network as an ONNX file, with everything that a server must know in its metadata. */
#ifndef ENG_TRAIN_EXPORT_H
#define ENG_TRAIN_EXPORT_H

#include "graph/graph.h"
#include "model/card.h"
#include "train/data.h"
#include "train/recipe.h"

#include <stddef.h>
#include <stdint.h>

/* What goes into the file. Borrowed. */
struct eng_export {
    const struct eng_recipe *recipe;
    const struct eng_data *data;
    const struct eng_graph *graph;
    const char *history; /* JSON */
};

/*
 * Purpose: the file, with the first n_golden test pictures and the probabilities that the inference
 * engine gives for them, read back from this very file.
 * Ownership: *bytes is malloc'd, the caller frees it. Errors: NO_MEMORY, and what opening a model
 * says.
 */
enum eng_status eng_export_bytes(const struct eng_export *export, size_t n_golden, uint8_t **bytes,
                                 size_t *n_bytes, struct eng_error *err);

#endif
