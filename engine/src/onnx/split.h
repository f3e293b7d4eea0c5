/* Reads a model so that nothing large is in memory twice: the elements of large initializers go to
 * where they stay, apart from the rest of the bytes, which protobuf-c unpacks. */
#ifndef ENG_ONNX_SPLIT_H
#define ENG_ONNX_SPLIT_H

#include "base/arena.h"
#include "engine/status.h"
#include "onnx/source.h"

/* A TensorProto with 16 KiB and more of raw_data. Offsets lie in the source. */
struct onnx_part {
    struct onnx_place tensor, raw;
    size_t index;   /* among all initializers */
    uint8_t *small; /* the TensorProto without raw_data */
    size_t n_small;
    uint8_t *data; /* raw.n bytes, aligned to ENG_ALIGN */
};

struct onnx_split {
    const uint8_t *rest; /* a ModelProto that lacks them */
    size_t n_rest;
    struct onnx_part *parts; /* in the order of the file */
    size_t n_parts;
    uint8_t *data; /* a block of all parts, the caller's to free; NULL if there are none */
    size_t data_bytes;
};

/*
 * Purpose: reads the bytes of a ModelProto. Bytes that are no such are all in the rest: unpacking
 * them says what is wrong.
 * Ownership: parts and rest go into arena, or lie in bytes. Errors: IO, NO_MEMORY; then out holds
 * nothing. Cost: memory for the source's bytes and less than 1 % more.
 */
enum eng_status onnx_split(const struct onnx_source *source, struct eng_arena *arena,
                           struct onnx_split *out, struct eng_error *err);

#endif
