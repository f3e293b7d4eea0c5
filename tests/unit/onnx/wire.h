/* Protobuf's wire format by hand, so that tests can write what no exporter would. */
#ifndef TESTS_ONNX_WIRE_H
#define TESTS_ONNX_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WIRE_CAPACITY = 1 << 16 };

struct wire {
    uint8_t bytes[WIRE_CAPACITY];
    size_t n;
};

static inline void wire_raw(struct wire *w, const void *bytes, size_t n)
{
    assert(n <= WIRE_CAPACITY - w->n);
    if (n) memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static inline void wire_varint(struct wire *w, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        wire_raw(w, &byte, 1);
        value >>= 7;
    } while (value);
}

static inline void wire_int(struct wire *w, unsigned field, int64_t value)
{
    wire_varint(w, field << 3);
    wire_varint(w, (uint64_t)value);
}

static inline void wire_float(struct wire *w, unsigned field, float value)
{
    wire_varint(w, field << 3 | 5);
    wire_raw(w, &value, sizeof value);
}

static inline void wire_bytes(struct wire *w, unsigned field, const void *bytes, size_t n)
{
    wire_varint(w, field << 3 | 2);
    wire_varint(w, n);
    wire_raw(w, bytes, n);
}

static inline void wire_text(struct wire *w, unsigned field, const char *text)
{
    wire_bytes(w, field, text, strlen(text));
}

static inline void wire_message(struct wire *w, unsigned field, const struct wire *inner)
{
    wire_bytes(w, field, inner->bytes, inner->n);
}

#endif
