/* Between the file's view of a model (onnx/) and the engine's (graph/). */
#ifndef ENG_MODEL_CONVERT_H
#define ENG_MODEL_CONVERT_H

#include "graph/graph.h"
#include "onnx/onnx.h"

/*
 * Purpose: builds the graph of a file into an initialised, empty graph; checks names, opsets and
 * that nodes stand in topological order (so there is no cycle), as the ONNX specification demands.
 * Calls of the model's functions become their nodes, and an If whose condition is known from shapes
 * and constants becomes the nodes of the branch that it takes.
 * Ownership: copies what it keeps. Errors: FORMAT, UNSUPPORTED, LIMIT; they name node, operator and
 * reason. On failure the graph is incomplete and still has to be ended with eng_graph_fini.
 */
enum eng_status eng_convert_import(const struct onnx_model *onnx, struct eng_graph *graph,
                                   struct eng_error *err);

/*
 * Purpose: the same, but large constants move from the file's arena to the graph's, which must
 *          outlive the file's view of them, and settle may give open dimensions of the inputs a
 * size before an If's condition is computed.
 */
enum eng_status eng_convert_import_take(struct onnx_model *onnx, struct eng_graph *graph,
                                        void (*settle)(void *data), void *data,
                                        struct eng_error *err);

/* Purpose: the version of a domain's operator set; 0 if it is not in the list. */
int64_t eng_convert_opset(const struct onnx_opset *opsets, size_t n, const char *domain);

/*
 * Purpose: the inverse, at the opset of the nodes. What differs between batch sizes is symbolic.
 * Ownership: the model borrows from graph; end it with onnx_model_fini.
 */
enum eng_status eng_convert_export(const struct eng_graph *graph, struct onnx_model *out,
                                   struct eng_error *err);

#endif
