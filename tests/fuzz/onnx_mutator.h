/*
 * Mutates a model's structure instead of its bytes: a length changed at random breaks all that
 * encloses it, so byte mutations seldom get past protobuf. Works on any message, by protobuf-c's
 * descriptors.
 */
#ifndef TEST_FUZZ_ONNX_MUTATOR_H
#define TEST_FUZZ_ONNX_MUTATOR_H

#include "base/arena.h"
#include "base/rng.h"

#include "onnx.pb-c.h"

#include <string.h>

enum { MUTATOR_MAX_SPOTS = 4096, MUTATOR_BYTES_ROOM = 64 };

/* libFuzzer's own mutation of bytes in place; absent when a corpus is only replayed. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n_bytes, size_t max_bytes) __attribute__((weak));

/* A field of some message in the tree. */
struct spot {
    ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *field;
};

struct mutator {
    struct eng_arena arena;
    struct eng_rng rng;
    struct spot spots[MUTATOR_MAX_SPOTS];
    size_t n_spots;
    ProtobufCBinaryData texts[MUTATOR_MAX_SPOTS]; /* values to take over: names meet again so */
    size_t n_texts;
};

static size_t mutator_below(struct mutator *m, size_t n)
{
    return (size_t)eng_rng_below(&m->rng, n);
}

static void *mutator_alloc(void *arena, size_t n_bytes)
{
    return eng_arena_alloc(arena, n_bytes + 1, 1);
}

static void mutator_free(void *arena, void *piece)
{
    (void)arena;
    (void)piece; /* with the arena */
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(ProtobufCMessage *);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_INT32:
        return 4;
    default:
        return 8;
    }
}

/* The field's items: one, or as many as a list holds. */
static char *items_of(const struct spot *spot, size_t *n)
{
    char *at = (char *)spot->message + spot->field->offset;
    *n = 1;
    if (spot->field->label != PROTOBUF_C_LABEL_REPEATED) return at;
    memcpy(n, (char *)spot->message + spot->field->quantifier_offset, sizeof *n);
    char *items;
    memcpy(&items, at, sizeof items);
    return items;
}

static void collect(struct mutator *m, ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        struct spot spot = {message, &message->descriptor->fields[i]};
        size_t n;
        char *items = items_of(&spot, &n);
        if (m->n_spots < MUTATOR_MAX_SPOTS) m->spots[m->n_spots++] = spot;
        for (size_t k = 0; k < n; k++) {
            char *item = items + k * element_bytes(spot.field);
            ProtobufCMessage *inner;
            if (spot.field->type == PROTOBUF_C_TYPE_BYTES && m->n_texts < MUTATOR_MAX_SPOTS)
                memcpy(&m->texts[m->n_texts++], item, sizeof *m->texts);
            if (spot.field->type != PROTOBUF_C_TYPE_MESSAGE) continue;
            memcpy(&inner, item, sizeof inner);
            if (inner) collect(m, inner);
        }
    }
}

static int64_t telling_number(struct mutator *m)
{
    static const int64_t numbers[] = {-2, -1, 0,  1,       2,         3,         4,
                                      7,  11, 13, 1 << 20, INT32_MAX, INT64_MAX, INT64_MIN};
    size_t n = sizeof numbers / sizeof *numbers, i = mutator_below(m, n + 4);
    return i < n ? numbers[i] : (int64_t)mutator_below(m, 24);
}

static void mutate_text(struct mutator *m, ProtobufCBinaryData *text)
{
    if (mutator_below(m, 2) == 0 && m->n_texts > 0) {
        *text = m->texts[mutator_below(m, m->n_texts)];
        return;
    }
    uint8_t *bytes = eng_arena_alloc(&m->arena, text->len + MUTATOR_BYTES_ROOM, 1);
    if (!bytes || !LLVMFuzzerMutate) return;
    if (text->len) memcpy(bytes, text->data, text->len);
    if (text->len >= 8 && mutator_below(m, 2) == 0) { /* of raw_data: shapes, axes, pads ... */
        int64_t number = telling_number(m);
        memcpy(bytes + mutator_below(m, text->len / 8) * 8, &number, sizeof number);
        text->data = bytes;
        return;
    }
    text->len = LLVMFuzzerMutate(bytes, text->len, text->len + MUTATOR_BYTES_ROOM);
    text->data = bytes;
}

static void mutate_item(struct mutator *m, const ProtobufCFieldDescriptor *field, char *item)
{
    int64_t number = telling_number(m);
    float real = (float)number / 4;
    ProtobufCBinaryData text;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        memcpy(&text, item, sizeof text);
        mutate_text(m, &text);
        memcpy(item, &text, sizeof text);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        memcpy(item, &real, sizeof real);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        break; /* its own fields are spots */
    default:
        memcpy(item, &number, element_bytes(field));
    }
}

/* Drops an item, doubles one, swaps two, or changes one. */
static void mutate_list(struct mutator *m, const struct spot *spot)
{
    size_t n, bytes = element_bytes(spot->field);
    char *items = items_of(spot, &n), *list = eng_arena_alloc(&m->arena, n + 1, bytes);
    if (!list) return;
    if (n > 0) memcpy(list, items, n * bytes);
    size_t i = n ? mutator_below(m, n) : 0, k = n ? mutator_below(m, n) : 0;
    size_t action = mutator_below(m, 4);
    if (action == 0 && n > 0) {
        n--;
        memmove(list + i * bytes, list + (i + 1) * bytes, (n - i) * bytes);
    } else if (action == 1 && n > 0) {
        memcpy(list + i * bytes, items + k * bytes, bytes);
        memcpy(list + k * bytes, items + i * bytes, bytes);
    } else if (action == 2 && (n > 0 || spot->field->type != PROTOBUF_C_TYPE_MESSAGE)) {
        if (n > 0) memcpy(list + n * bytes, items + i * bytes, bytes);
        mutate_item(m, spot->field, list + n * bytes);
        n++;
    } else if (n > 0) {
        mutate_item(m, spot->field, list + i * bytes);
    }
    memcpy((char *)spot->message + spot->field->quantifier_offset, &n, sizeof n);
    memcpy((char *)spot->message + spot->field->offset, &list, sizeof list);
}

static void mutate_spot(struct mutator *m, const struct spot *spot)
{
    if (spot->field->label == PROTOBUF_C_LABEL_REPEATED) {
        mutate_list(m, spot);
    } else if (spot->field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (mutator_below(m, 8) == 0)
            memset((char *)spot->message + spot->field->offset, 0, sizeof(ProtobufCMessage *));
    } else {
        protobuf_c_boolean present = mutator_below(m, 8) > 0;
        memcpy((char *)spot->message + spot->field->quantifier_offset, &present, sizeof present);
        mutate_item(m, spot->field, (char *)spot->message + spot->field->offset);
    }
}

/* Purpose: the new size of the model in data after one to four changes; 0 if data hold no model or
 * the result does not fit in max_bytes. */
static size_t mutate_model(uint8_t *data, size_t n_bytes, size_t max_bytes, unsigned seed)
{
    static struct mutator m;
    m = (struct mutator){.n_spots = 0};
    eng_arena_init(&m.arena);
    eng_rng_init(&m.rng, seed, 0);
    ProtobufCAllocator allocator = {mutator_alloc, mutator_free, &m.arena};
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, n_bytes, data);
    size_t n = 0;
    if (model) {
        collect(&m, &model->base);
        for (size_t i = mutator_below(&m, 4) + 1; i > 0; i--)
            mutate_spot(&m, &m.spots[mutator_below(&m, m.n_spots)]);
        n = onnx__model_proto__get_packed_size(model);
        n = n <= max_bytes ? onnx__model_proto__pack(model, data) : 0;
    }
    eng_arena_fini(&m.arena);
    return n;
}

#endif
