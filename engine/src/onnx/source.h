/* The bytes of a model, wherever they are: in memory, or in a file that is read piece by piece. */
#ifndef ENG_ONNX_SOURCE_H
#define ENG_ONNX_SOURCE_H

#include "base/file.h"
#include "onnx/fields.h"

#include <stdbool.h>

struct onnx_source {
    const struct eng_open_file *file; /* NULL: */
    const uint8_t *bytes;             /* these */
    size_t n_bytes;
};

/* Purpose: n bytes from offset on. Errors: IO. */
enum eng_status onnx_source_read(const struct onnx_source *source, size_t offset, void *to,
                                 size_t n, struct eng_error *err);

enum { ONNX_WALK_BYTES = 4096 };

/* Goes from field to field of a message without reading what they hold. */
struct onnx_walk {
    const struct onnx_source *source;
    size_t at, end;          /* offsets of the next field, and behind the message */
    size_t window, n_window; /* what buffer holds */
    uint8_t buffer[ONNX_WALK_BYTES];
};

/* A field by its place: its tag at `whole`, what it holds at `content`. */
struct onnx_place {
    uint64_t number;
    unsigned wire;
    size_t whole, content, n; /* of WIRE_BYTES; else n is 0 */
};

void onnx_walk_begin(struct onnx_walk *walk, const struct onnx_source *source, size_t at, size_t n);

/*
 * Purpose: the next field; *found is false where there is no whole one, at the end or because the
 * bytes are no fields. Errors: IO.
 */
enum eng_status onnx_walk_next(struct onnx_walk *walk, struct onnx_place *place, bool *found,
                               struct eng_error *err);

/* Purpose: whether the walk stands at the end: all was fields. */
bool onnx_walk_is_over(const struct onnx_walk *walk);

#endif
