/* Changing what a model file says of itself, and nothing else. */
#ifndef ENG_ONNX_METADATA_H
#define ENG_ONNX_METADATA_H

#include "onnx/onnx.h"

#include <stdbool.h>

struct onnx_metadata {
    const struct onnx_property *rows; /* [n_rows] to be in the file */
    size_t n_rows;
    const char *doc_string; /* in place of the file's; NULL: it stays */
    /* Which of the file's rows give way. key is not terminated. */
    bool (*replaces)(const char *key, size_t n);
};

/*
 * Purpose: the same ModelProto with other metadata_props. All else is copied byte by byte: graph,
 *          weights and what this engine does not read stay as they were exported.
 * Ownership: *out is malloc'd, the caller frees it.
 * Errors: FORMAT (no sequence of protobuf fields), LIMIT (2 GiB), NO_MEMORY.
 * Source: onnx.proto, ModelProto fields 6 and 14; protobuf's wire format.
 */
enum eng_status onnx_metadata_replace(const void *bytes, size_t n_bytes,
                                      const struct onnx_metadata *metadata, uint8_t **out,
                                      size_t *n_out, struct eng_error *err);

#endif
