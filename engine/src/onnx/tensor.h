/* TensorProto -> struct eng_tensor: element type, shape and data checked against each other. */
#ifndef ENG_ONNX_TENSOR_H
#define ENG_ONNX_TENSOR_H

#include "base/arena.h"
#include "engine/status.h"
#include "engine/tensor.h"
#include "onnx.pb-c.h"

/*
 * Purpose: the element type of a file, if the engine holds it.
 * Errors: UNSUPPORTED or FORMAT starting with "element type".
 */
enum eng_status onnx_dtype(int32_t data_type, enum eng_dtype *out, struct eng_error *err);

/*
 * Purpose: a tensor of the file. float16 comes widened to float32.
 * Ownership: proto lives in arena, see onnx_unpack; the data stay where they are or are copied
 * there. Errors: FORMAT, UNSUPPORTED, NO_MEMORY; the caller puts the tensor's name before the
 * sentence.
 */
enum eng_status onnx_tensor(const Onnx__TensorProto *proto, struct eng_arena *arena,
                            struct eng_tensor *out, struct eng_error *err);

#endif
