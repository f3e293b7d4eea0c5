#include "onnx/metadata.h"

#include "base/error.h"
#include "onnx/fields.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIELD_DOC_STRING = 6,
    FIELD_METADATA_PROPS = 14,
    FIELD_KEY = 1,
    FIELD_VALUE = 2,
};

static const size_t MAX_BYTES = (size_t)2 << 30; /* protobuf's own bound */

/* --- reading --- */

/* Whether a metadata row gives way. One without a key stays. */
static bool row_goes(const struct onnx_field *row, const struct onnx_metadata *metadata)
{
    struct eng_cursor c = eng_cursor_over(row->content, row->n);
    struct onnx_field part, key = {.n = 0};
    while (eng_cursor_left(&c) > 0 && onnx_field_take(&c, &part))
        if (part.number == FIELD_KEY && part.wire == ONNX_WIRE_BYTES) key = part;
    return key.n > 0 && metadata->replaces((const char *)key.content, key.n);
}

static bool field_goes(const struct onnx_field *field, const struct onnx_metadata *metadata)
{
    if (field->wire != ONNX_WIRE_BYTES) return false;
    if (field->number == FIELD_DOC_STRING) return metadata->doc_string != NULL;
    return field->number == FIELD_METADATA_PROPS && row_goes(field, metadata);
}

/* --- writing --- */

static size_t text_bytes(const char *text)
{
    size_t n = strlen(text);
    return 1 + onnx_varint_bytes(n) + n;
}

static size_t row_bytes(const struct onnx_property *row)
{
    return text_bytes(row->key) + text_bytes(row->value);
}

static uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
    size_t n = strlen(text);
    at = onnx_varint_put(at, field << 3 | ONNX_WIRE_BYTES);
    at = onnx_varint_put(at, n);
    memcpy(at, text, n);
    return at + n;
}

static uint8_t *put_rows(uint8_t *at, const struct onnx_metadata *metadata)
{
    if (metadata->doc_string) at = put_text(at, FIELD_DOC_STRING, metadata->doc_string);
    for (size_t i = 0; i < metadata->n_rows; i++) {
        const struct onnx_property *row = &metadata->rows[i];
        at = onnx_varint_put(at, FIELD_METADATA_PROPS << 3 | ONNX_WIRE_BYTES);
        at = onnx_varint_put(at, row_bytes(row));
        at = put_text(at, FIELD_KEY, row->key);
        at = put_text(at, FIELD_VALUE, row->value);
    }
    return at;
}

static size_t rows_bytes(const struct onnx_metadata *metadata)
{
    size_t n = metadata->doc_string ? text_bytes(metadata->doc_string) : 0;
    for (size_t i = 0; i < metadata->n_rows; i++) {
        size_t n_row = row_bytes(&metadata->rows[i]);
        n += 1 + onnx_varint_bytes(n_row) + n_row;
    }
    return n;
}

/* Copies the fields that stay. Returns their end, NULL if the bytes are no fields. */
static uint8_t *copy_fields(const void *bytes, size_t n_bytes, const struct onnx_metadata *metadata,
                            uint8_t *at)
{
    struct eng_cursor c = eng_cursor_over(bytes, n_bytes);
    while (eng_cursor_left(&c) > 0) {
        const uint8_t *begin = c.at;
        struct onnx_field field;
        if (!onnx_field_take(&c, &field)) return NULL;
        if (field_goes(&field, metadata)) continue;
        size_t n = (size_t)(c.at - begin);
        memcpy(at, begin, n);
        at += n;
    }
    return at;
}

enum eng_status onnx_metadata_replace(const void *bytes, size_t n_bytes,
                                      const struct onnx_metadata *metadata, uint8_t **out,
                                      size_t *n_out, struct eng_error *err)
{
    size_t n_rows = rows_bytes(metadata);
    if (n_bytes > MAX_BYTES || n_rows > MAX_BYTES - n_bytes)
        return eng_fail(err, ENG_LIMIT, "the file has %zu bytes and its metadata %zu, at most %zu",
                        n_bytes, n_rows, MAX_BYTES);
    uint8_t *file = malloc(n_bytes + n_rows + 1);
    if (!file) return eng_fail_memory(err, "a model file");
    uint8_t *end = copy_fields(bytes, n_bytes, metadata, file);
    if (!end) {
        free(file);
        return eng_fail(err, ENG_FORMAT, "the file is no sequence of protobuf fields");
    }
    end = put_rows(end, metadata);
    *out = file;
    *n_out = (size_t)(end - file);
    return ENG_OK;
}
