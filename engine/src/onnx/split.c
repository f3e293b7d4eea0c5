#include "onnx/split.h"

#include "base/error.h"
#include "onnx/fields.h"

#include <string.h>

enum { LARGE_BYTES = 64 << 10, FIELD_GRAPH = 7, FIELD_INITIALIZER = 5 };

/* The graph's field in a model: `whole` with tag and length. */
struct found {
    const uint8_t *whole;
    struct onnx_field graph;
    size_t n_large, large_bytes; /* of whole fields */
};

/* False unless there is just one graph: several would have to be merged. */
static bool find_graph(const uint8_t *bytes, size_t n_bytes, struct found *found)
{
    struct eng_cursor c = eng_cursor_over(bytes, n_bytes);
    size_t n_graphs = 0;
    while (eng_cursor_left(&c) > 0) {
        const uint8_t *begin = c.at;
        struct onnx_field field;
        if (!onnx_field_take(&c, &field)) return false;
        if (field.number != FIELD_GRAPH) continue;
        if (field.wire != ONNX_WIRE_BYTES) return false;
        found->whole = begin;
        found->graph = field;
        n_graphs++;
    }
    return n_graphs == 1;
}

/* Counts the large initializers; parts: NULL, or room to note them. False: they are no fields. */
static bool find_large(struct found *found, struct onnx_part *parts)
{
    struct eng_cursor c = eng_cursor_over(found->graph.content, found->graph.n);
    size_t index = 0;
    found->n_large = found->large_bytes = 0;
    while (eng_cursor_left(&c) > 0) {
        const uint8_t *begin = c.at;
        struct onnx_field field;
        if (!onnx_field_take(&c, &field)) return false;
        if (field.number != FIELD_INITIALIZER || field.wire != ONNX_WIRE_BYTES) continue;
        if (field.n >= LARGE_BYTES) {
            if (parts)
                parts[found->n_large] = (struct onnx_part){
                    .bytes = field.content, .n = field.n, .field = begin, .index = index};
            found->n_large++;
            found->large_bytes += (size_t)(c.at - begin);
        }
        index++;
    }
    return true;
}

static uint8_t *copy(uint8_t *at, const uint8_t *begin, const uint8_t *end)
{
    size_t n = (size_t)(end - begin);
    if (n > 0) memcpy(at, begin, n);
    return at + n;
}

/* The graph's fields but for the parts. */
static uint8_t *copy_graph(uint8_t *at, const struct found *found, const struct onnx_part *parts)
{
    const uint8_t *begin = found->graph.content;
    for (size_t i = 0; i < found->n_large; i++) {
        at = copy(at, begin, parts[i].field);
        begin = parts[i].bytes + parts[i].n;
    }
    return copy(at, begin, found->graph.content + found->graph.n);
}

static enum eng_status take_apart(const uint8_t *bytes, size_t n_bytes, struct found *found,
                                  struct eng_arena *arena, struct onnx_split *out,
                                  struct eng_error *err)
{
    struct onnx_part *parts = eng_arena_alloc(arena, found->n_large, sizeof *parts);
    uint8_t *rest = eng_arena_alloc(arena, n_bytes - found->large_bytes + 16, 1), *at = rest;
    if (!parts || !rest) return eng_fail_memory(err, "a model's bytes");
    find_large(found, parts);
    at = copy(at, bytes, found->whole);
    at = onnx_varint_put(at, FIELD_GRAPH << 3 | ONNX_WIRE_BYTES);
    at = onnx_varint_put(at, found->graph.n - found->large_bytes);
    at = copy_graph(at, found, parts);
    at = copy(at, found->graph.content + found->graph.n, bytes + n_bytes);
    *out = (struct onnx_split){
        .rest = rest, .n_rest = (size_t)(at - rest), .parts = parts, .n_parts = found->n_large};
    return ENG_OK;
}

enum eng_status onnx_split(const uint8_t *bytes, size_t n_bytes, struct eng_arena *arena,
                           struct onnx_split *out, struct eng_error *err)
{
    struct found found = {.n_large = 0};
    *out = (struct onnx_split){.rest = bytes, .n_rest = n_bytes};
    if (!find_graph(bytes, n_bytes, &found) || !find_large(&found, NULL) ||
        found.large_bytes <= n_bytes / 2)
        return ENG_OK;
    return take_apart(bytes, n_bytes, &found, arena, out, err);
}
