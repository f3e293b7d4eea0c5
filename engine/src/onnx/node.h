/* NodeProto and its attributes. */
#ifndef ENG_ONNX_NODE_H
#define ENG_ONNX_NODE_H

#include "onnx/onnx.h"

#include "onnx.pb-c.h"

#include <stdbool.h>

/* AttributeProto.AttributeType. */
enum onnx_attribute_type {
    ONNX_ATTRIBUTE_FLOAT = 1,
    ONNX_ATTRIBUTE_INT,
    ONNX_ATTRIBUTE_STRING,
    ONNX_ATTRIBUTE_TENSOR,
    ONNX_ATTRIBUTE_GRAPH,
    ONNX_ATTRIBUTE_FLOATS,
    ONNX_ATTRIBUTE_INTS,
    ONNX_ATTRIBUTE_STRINGS,
    ONNX_ATTRIBUTE_TENSORS,
    ONNX_ATTRIBUTE_GRAPHS,
    ONNX_ATTRIBUTE_SPARSE_TENSOR,
    ONNX_ATTRIBUTE_SPARSE_TENSORS,
    ONNX_ATTRIBUTE_TYPE_PROTO,
    ONNX_ATTRIBUTE_TYPE_PROTOS,
    N_ONNX_ATTRIBUTE_TYPES,
};

/*
 * Purpose: one node; index is its place in the file, for messages. in_function: its attributes may
 *          stand for those of a call.
 * Ownership: proto lives in arena, where everything else goes too.
 * Errors: FORMAT, UNSUPPORTED, LIMIT, NO_MEMORY; "node 'name' (Op): " stands before the sentence.
 */
enum eng_status onnx_node(const Onnx__NodeProto *proto, size_t index, bool in_function,
                          struct eng_arena *arena, struct onnx_node *out, struct eng_error *err);

/* Purpose: attributes, each name once; likewise. */
enum eng_status onnx_attributes(Onnx__AttributeProto *const *protos, size_t n, bool in_function,
                                struct eng_arena *arena, struct eng_attr **out,
                                struct eng_error *err);

/* Purpose: a list of names; what calls one of them in messages. */
enum eng_status onnx_names(const ProtobufCBinaryData *fields, size_t n, const char *what,
                           struct eng_arena *arena, const char *const **out, struct eng_error *err);

#endif
