#include "onnx/fields.h"

enum { MAX_VARINT_BYTES = 10 };

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

bool onnx_field_head(struct eng_cursor *c, struct onnx_field *field)
{
    uint64_t tag = take_varint(c);
    *field = (struct onnx_field){.number = tag >> 3, .wire = tag & 7};
    switch (field->wire) {
    case ONNX_WIRE_VARINT:
        take_varint(c);
        break;
    case ONNX_WIRE_FIXED64:
        eng_cursor_take(c, 8);
        break;
    case ONNX_WIRE_FIXED32:
        eng_cursor_take(c, 4);
        break;
    case ONNX_WIRE_BYTES:
        field->n = (size_t)take_varint(c);
        break;
    default:
        c->failed = true;
    }
    return !c->failed;
}

bool onnx_field_take(struct eng_cursor *c, struct onnx_field *field)
{
    if (!onnx_field_head(c, field)) return false;
    if (field->wire == ONNX_WIRE_BYTES) field->content = eng_cursor_take(c, field->n);
    return !c->failed;
}

size_t onnx_varint_bytes(size_t value)
{
    size_t n = 1;
    for (; value > 127; value >>= 7)
        n++;
    return n;
}

uint8_t *onnx_varint_put(uint8_t *at, size_t value)
{
    for (; value > 127; value >>= 7)
        *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}
