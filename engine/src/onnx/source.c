#include "onnx/source.h"

#include "base/error.h"

#include <string.h>

enum eng_status onnx_source_read(const struct onnx_source *source, size_t offset, void *to,
                                 size_t n, struct eng_error *err)
{
    if (source->file) return eng_open_file_read(source->file, offset, to, n, err);
    if (n > 0) memcpy(to, source->bytes + offset, n);
    return ENG_OK;
}

void onnx_walk_begin(struct onnx_walk *walk, const struct onnx_source *source, size_t at, size_t n)
{
    walk->source = source;
    walk->at = at;
    walk->end = at + n;
    walk->window = walk->n_window = 0;
}

/* Puts the next n bytes into the buffer, if they are not there. */
static enum eng_status see(struct onnx_walk *walk, size_t n, struct eng_error *err)
{
    if (walk->at >= walk->window && walk->at + n <= walk->window + walk->n_window) return ENG_OK;
    size_t left = walk->end - walk->at;
    walk->n_window = left < sizeof walk->buffer ? left : sizeof walk->buffer;
    walk->window = walk->at;
    return onnx_source_read(walk->source, walk->at, walk->buffer, walk->n_window, err);
}

enum eng_status onnx_walk_next(struct onnx_walk *walk, struct onnx_place *place, bool *found,
                               struct eng_error *err)
{
    size_t left = walk->end - walk->at;
    size_t n = left < ONNX_MAX_HEAD_BYTES ? left : ONNX_MAX_HEAD_BYTES;
    *found = false;
    if (n == 0) return ENG_OK;
    enum eng_status status = see(walk, n, err);
    if (status != ENG_OK) return status;
    struct eng_cursor c = eng_cursor_over(walk->buffer + (walk->at - walk->window), n);
    struct onnx_field field;
    if (!onnx_field_head(&c, &field)) return ENG_OK;
    size_t n_head = n - eng_cursor_left(&c);
    if (field.n > left - n_head) return ENG_OK;
    *place = (struct onnx_place){.number = field.number,
                                 .wire = field.wire,
                                 .whole = walk->at,
                                 .content = walk->at + n_head,
                                 .n = field.n};
    walk->at += n_head + field.n;
    *found = true;
    return ENG_OK;
}

bool onnx_walk_is_over(const struct onnx_walk *walk)
{
    return walk->at == walk->end;
}
