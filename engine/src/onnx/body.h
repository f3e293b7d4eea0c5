/* Lists of nodes and what stands beside them: of the graph, of functions, of branches. */
#ifndef ENG_ONNX_BODY_H
#define ENG_ONNX_BODY_H

#include "onnx/onnx.h"

#include "onnx.pb-c.h"

#include <stdbool.h>

/* Ownership of all: as onnx_node. Errors: FORMAT, UNSUPPORTED, LIMIT, NO_MEMORY; the sentence names
 * node, tensor, function or domain. */

/* Purpose: the operator sets; wants at least one, and each domain once. */
enum eng_status onnx_opsets(Onnx__OperatorSetIdProto *const *protos, size_t n,
                            struct eng_arena *arena, struct onnx_opset **out,
                            struct eng_error *err);

/* Purpose: the graph's constants. */
enum eng_status onnx_initializers(Onnx__TensorProto *const *protos, size_t n,
                                  struct eng_arena *arena, struct onnx_named_tensor **out,
                                  struct eng_error *err);

/* Purpose: nodes in order; in_function: as onnx_node. */
enum eng_status onnx_nodes(Onnx__NodeProto *const *protos, size_t n, bool in_function,
                           struct eng_arena *arena, struct onnx_node **out, struct eng_error *err);

/* Purpose: refuses what a graph may hold and we do not read. */
enum eng_status onnx_graph_kind(const Onnx__GraphProto *graph, struct eng_error *err);

/* Purpose: the functions of a model; wants no two of one name. */
enum eng_status onnx_functions(Onnx__FunctionProto *const *protos, size_t n,
                               struct eng_arena *arena, struct onnx_body **out,
                               struct eng_error *err);

#endif
