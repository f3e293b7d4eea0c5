/* Protobuf's wire format, field by field, for what is done without unpacking. */
#ifndef ENG_ONNX_FIELDS_H
#define ENG_ONNX_FIELDS_H

#include "base/cursor.h"

enum { ONNX_WIRE_VARINT = 0, ONNX_WIRE_FIXED64 = 1, ONNX_WIRE_BYTES = 2, ONNX_WIRE_FIXED32 = 5 };

struct onnx_field {
    uint64_t number;
    unsigned wire;
    const uint8_t *content; /* WIRE_BYTES */
    size_t n;
};

enum { ONNX_MAX_HEAD_BYTES = 20 }; /* a tag, and a length or number */

/* Purpose: the next field but for what a WIRE_BYTES holds, which is not looked at. */
bool onnx_field_head(struct eng_cursor *c, struct onnx_field *field);

/* Purpose: the next field; false if there is no whole one. */
bool onnx_field_take(struct eng_cursor *c, struct onnx_field *field);

/* Purpose: how many bytes a varint takes; puts one, and returns what is behind it. */
size_t onnx_varint_bytes(size_t value);
uint8_t *onnx_varint_put(uint8_t *at, size_t value);

#endif
