#include "onnx/metadata.h"

#include "base/cursor.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
    FIELD_DOC_STRING = 6,
    FIELD_METADATA_PROPS = 14,
    FIELD_KEY = 1,
    FIELD_VALUE = 2,
    MAX_VARINT_BYTES = 10,
};

static const size_t MAX_BYTES = (size_t)2 << 30; /* protobuf's own bound */

/* --- reading --- */

struct field {
    uint64_t number;
    unsigned wire;
    const uint8_t *content; /* WIRE_BYTES */
    size_t n;
};

static uint64_t take_varint(struct eng_cursor *c)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < MAX_VARINT_BYTES; i++) {
        uint8_t byte = eng_cursor_u8(c);
        value |= (uint64_t)(byte & 127) << (7 * i);
        if (!(byte & 128)) return value;
    }
    c->failed = true;
    return 0;
}

/* False if there is no whole field. */
static bool take_field(struct eng_cursor *c, struct field *field)
{
    uint64_t tag = take_varint(c);
    *field = (struct field){.number = tag >> 3, .wire = tag & 7};
    switch (field->wire) {
    case WIRE_VARINT:
        take_varint(c);
        break;
    case WIRE_FIXED64:
        eng_cursor_take(c, 8);
        break;
    case WIRE_FIXED32:
        eng_cursor_take(c, 4);
        break;
    case WIRE_BYTES:
        field->n = (size_t)take_varint(c);
        field->content = eng_cursor_take(c, field->n);
        break;
    default:
        c->failed = true;
    }
    return !c->failed;
}

/* Whether a metadata row gives way. One without a key stays. */
static bool row_goes(const struct field *row, const struct onnx_metadata *metadata)
{
    struct eng_cursor c = eng_cursor_over(row->content, row->n);
    struct field part, key = {.n = 0};
    while (eng_cursor_left(&c) > 0 && take_field(&c, &part))
        if (part.number == FIELD_KEY && part.wire == WIRE_BYTES) key = part;
    return key.n > 0 && metadata->replaces((const char *)key.content, key.n);
}

static bool field_goes(const struct field *field, const struct onnx_metadata *metadata)
{
    if (field->wire != WIRE_BYTES) return false;
    if (field->number == FIELD_DOC_STRING) return metadata->doc_string != NULL;
    return field->number == FIELD_METADATA_PROPS && row_goes(field, metadata);
}

/* --- writing --- */

static size_t varint_bytes(size_t value)
{
    size_t n = 1;
    for (; value > 127; value >>= 7)
        n++;
    return n;
}

static size_t text_bytes(const char *text)
{
    size_t n = strlen(text);
    return 1 + varint_bytes(n) + n;
}

static size_t row_bytes(const struct onnx_property *row)
{
    return text_bytes(row->key) + text_bytes(row->value);
}

static uint8_t *put_varint(uint8_t *at, size_t value)
{
    for (; value > 127; value >>= 7)
        *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_text(uint8_t *at, unsigned field, const char *text)
{
    size_t n = strlen(text);
    at = put_varint(at, field << 3 | WIRE_BYTES);
    at = put_varint(at, n);
    memcpy(at, text, n);
    return at + n;
}

static uint8_t *put_rows(uint8_t *at, const struct onnx_metadata *metadata)
{
    if (metadata->doc_string) at = put_text(at, FIELD_DOC_STRING, metadata->doc_string);
    for (size_t i = 0; i < metadata->n_rows; i++) {
        const struct onnx_property *row = &metadata->rows[i];
        at = put_varint(at, FIELD_METADATA_PROPS << 3 | WIRE_BYTES);
        at = put_varint(at, row_bytes(row));
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
        n += 1 + varint_bytes(n_row) + n_row;
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
        struct field field;
        if (!take_field(&c, &field)) return NULL;
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
