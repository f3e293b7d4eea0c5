/* Large initializers apart from the rest of a model's bytes, so that they are never there twice. */
#ifndef ENG_ONNX_SPLIT_H
#define ENG_ONNX_SPLIT_H

#include "base/arena.h"
#include "engine/status.h"

#include <stdint.h>

/* A TensorProto of 64 KiB and more. */
struct onnx_part {
    const uint8_t *bytes; /* in the file */
    size_t n;
    const uint8_t *field; /* its tag and length before them */
    size_t index;         /* among all initializers */
};

struct onnx_split {
    const uint8_t *rest; /* a ModelProto that lacks them; the file itself if there are none */
    size_t n_rest;
    struct onnx_part *parts; /* in the order of the file */
    size_t n_parts;
};

/*
 * Purpose: finds them in the bytes of a ModelProto, if they are most of it. Bytes that are no such
 *          are left as they are: unpacking them says what is wrong.
 * Ownership: parts and rest go into arena, or lie in bytes. Errors: NO_MEMORY.
 */
enum eng_status onnx_split(const uint8_t *bytes, size_t n_bytes, struct eng_arena *arena,
                           struct onnx_split *out, struct eng_error *err);

#endif
