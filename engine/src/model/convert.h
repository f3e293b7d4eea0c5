/* Between the file's view of a model (onnx/) and the engine's (graph/). */
#ifndef ENG_MODEL_CONVERT_H
#define ENG_MODEL_CONVERT_H

#include "graph/graph.h"
#include "onnx/onnx.h"

/* Purpose: builds the graph of a file; checks names, order (nodes may come unsorted), opsets.
 * Ownership: copies what it keeps. Errors: name node, operator and reason. */
enum eng_status eng_convert_import(const struct onnx_model *onnx, struct eng_graph *graph,
                                   struct eng_error *err);

/* Purpose: the inverse, at the opset of the nodes; the model borrows from graph and owns its arena. */
enum eng_status eng_convert_export(const struct eng_graph *graph, struct onnx_model *out,
                                   struct eng_error *err);

#endif
