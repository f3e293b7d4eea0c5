/* ValueInfoProto: what a graph says of its inputs and outputs. */
#ifndef ENG_ONNX_VALUE_INFO_H
#define ENG_ONNX_VALUE_INFO_H

#include "onnx/onnx.h"

#include "onnx.pb-c.h"

/*
 * Purpose: the graph's inputs or outputs; what: "graph input" or "graph output". Names are unique
 * in the list. Ownership: as onnx_node. Errors: FORMAT, UNSUPPORTED, NO_MEMORY, naming the value.
 */
enum eng_status onnx_value_infos(Onnx__ValueInfoProto *const *protos, size_t n, const char *what,
                                 struct eng_arena *arena, struct onnx_value_info **out,
                                 struct eng_error *err);

/* Purpose: the same for value_info, which may say nothing, or describe what is no dense tensor or
 * not in the graph: what does not read is passed over. Errors: NO_MEMORY. */
enum eng_status onnx_known_value_infos(Onnx__ValueInfoProto *const *protos, size_t n,
                                       struct eng_arena *arena, struct onnx_value_info **out,
                                       size_t *n_out, struct eng_error *err);

#endif
