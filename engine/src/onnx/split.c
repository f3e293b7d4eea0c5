#include "onnx/split.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>

enum { LARGE_BYTES = 16 << 10, FIELD_GRAPH = 7, FIELD_INITIALIZER = 5, FIELD_RAW_DATA = 9 };

/* What the walk through a source finds. */
struct search {
    const struct onnx_source *source;
    struct onnx_walk model, graph, tensor;
    struct onnx_place found; /* the graph in the model */
    struct onnx_part *parts; /* malloc'd */
    size_t n_parts, capacity;
};

/* *one is false unless there is just one graph: several would have to be merged. */
static enum eng_status find_graph(struct search *s, bool *one, struct eng_error *err)
{
    size_t n_graphs = 0;
    struct onnx_place place;
    bool found = true;
    enum eng_status status = ENG_OK;
    onnx_walk_begin(&s->model, s->source, 0, s->source->n_bytes);
    while (status == ENG_OK && found) {
        status = onnx_walk_next(&s->model, &place, &found, err);
        if (status != ENG_OK || !found || place.number != FIELD_GRAPH) continue;
        if (place.wire != ONNX_WIRE_BYTES) n_graphs++; /* no graph, and one too many */
        s->found = place;
        n_graphs++;
    }
    *one = n_graphs == 1 && onnx_walk_is_over(&s->model);
    return status;
}

/* *one is false unless there is just one raw_data: of several the last counts. */
static enum eng_status find_raw(struct search *s, const struct onnx_place *tensor,
                                struct onnx_place *raw, bool *one, struct eng_error *err)
{
    size_t n_raw = 0;
    struct onnx_place place;
    bool found = true;
    enum eng_status status = ENG_OK;
    onnx_walk_begin(&s->tensor, s->source, tensor->content, tensor->n);
    while (status == ENG_OK && found) {
        status = onnx_walk_next(&s->tensor, &place, &found, err);
        if (status != ENG_OK || !found || place.number != FIELD_RAW_DATA) continue;
        if (place.wire != ONNX_WIRE_BYTES) n_raw++;
        *raw = place;
        n_raw++;
    }
    *one = n_raw == 1 && onnx_walk_is_over(&s->tensor);
    return status;
}

static enum eng_status note_part(struct search *s, const struct onnx_place *tensor, size_t index,
                                 struct eng_error *err)
{
    bool one;
    struct onnx_place raw;
    enum eng_status status = find_raw(s, tensor, &raw, &one, err);
    if (status != ENG_OK || !one || raw.n < LARGE_BYTES) return status;
    if (!eng_grow(&s->parts, &s->capacity, s->n_parts + 1, sizeof *s->parts))
        return eng_fail_memory(err, "initializers");
    s->parts[s->n_parts++] = (struct onnx_part){.tensor = *tensor, .raw = raw, .index = index};
    return ENG_OK;
}

static enum eng_status find_parts(struct search *s, struct eng_error *err)
{
    size_t index = 0;
    struct onnx_place place;
    bool found = true;
    enum eng_status status = ENG_OK;
    onnx_walk_begin(&s->graph, s->source, s->found.content, s->found.n);
    while (status == ENG_OK && found) {
        status = onnx_walk_next(&s->graph, &place, &found, err);
        if (status != ENG_OK || !found || place.number != FIELD_INITIALIZER ||
            place.wire != ONNX_WIRE_BYTES)
            continue;
        if (place.n >= LARGE_BYTES) status = note_part(s, &place, index, err);
        index++;
    }
    if (!onnx_walk_is_over(&s->graph)) s->n_parts = 0;
    return status;
}

/* ---- reading ---- */

/* Appends bytes of the source. */
struct sink {
    const struct onnx_source *source;
    uint8_t *at;
};

static enum eng_status copy(struct sink *sink, size_t begin, size_t end, struct eng_error *err)
{
    enum eng_status status = onnx_source_read(sink->source, begin, sink->at, end - begin, err);
    sink->at += end - begin;
    return status;
}

static size_t end_of(const struct onnx_place *place)
{
    return place->content + place->n;
}

/* The model's fields but for the parts. */
static enum eng_status read_rest(const struct search *s, struct eng_arena *arena,
                                 struct onnx_split *out, struct eng_error *err)
{
    size_t n_apart = 0, begin = s->found.content;
    for (size_t i = 0; i < s->n_parts; i++)
        n_apart += end_of(&s->parts[i].tensor) - s->parts[i].tensor.whole;
    size_t capacity = s->source->n_bytes - n_apart + ONNX_MAX_HEAD_BYTES;
    uint8_t *rest = eng_arena_alloc(arena, capacity, 1);
    if (!rest) return eng_fail_memory(err, "a model's bytes");
    struct sink sink = {.source = s->source, .at = rest};
    enum eng_status status = copy(&sink, 0, s->found.whole, err);
    sink.at = onnx_varint_put(sink.at, FIELD_GRAPH << 3 | ONNX_WIRE_BYTES);
    sink.at = onnx_varint_put(sink.at, s->found.n - n_apart);
    for (size_t i = 0; status == ENG_OK && i < s->n_parts; i++) {
        status = copy(&sink, begin, s->parts[i].tensor.whole, err);
        begin = end_of(&s->parts[i].tensor);
    }
    if (status == ENG_OK) status = copy(&sink, begin, s->source->n_bytes, err);
    out->rest = rest;
    out->n_rest = (size_t)(sink.at - rest);
    return status;
}

static enum eng_status read_part(const struct onnx_source *source, struct onnx_part *part,
                                 struct eng_arena *arena, struct eng_error *err)
{
    size_t n = part->tensor.n - (end_of(&part->raw) - part->raw.whole);
    part->small = eng_arena_alloc(arena, n + 1, 1);
    part->n_small = n;
    if (!part->small) return eng_fail_memory(err, "an initializer");
    struct sink sink = {.source = source, .at = part->small};
    enum eng_status status = copy(&sink, part->tensor.content, part->raw.whole, err);
    if (status == ENG_OK) status = copy(&sink, end_of(&part->raw), end_of(&part->tensor), err);
    if (status != ENG_OK) return status;
    return onnx_source_read(source, part->raw.content, part->data, part->raw.n, err);
}

static enum eng_status read_parts(struct search *s, struct eng_arena *arena, struct onnx_split *out,
                                  struct eng_error *err)
{
    for (size_t i = 0; i < s->n_parts; i++)
        out->data_bytes += eng_align_up(s->parts[i].raw.n);
    uint8_t *at = out->data = eng_block_alloc(out->data_bytes);
    if (!at) return eng_fail_memory(err, "a model's weights");
    eng_block_wish_huge(at, out->data_bytes);
    out->parts = eng_arena_copy(arena, s->parts, s->n_parts * sizeof *s->parts);
    if (!out->parts) return eng_fail_memory(err, "initializers");
    out->n_parts = s->n_parts;
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < out->n_parts; i++) {
        out->parts[i].data = at;
        at += eng_align_up(out->parts[i].raw.n);
        status = read_part(s->source, &out->parts[i], arena, err);
    }
    return status;
}

static enum eng_status read_all(const struct onnx_source *source, struct eng_arena *arena,
                                struct onnx_split *out, struct eng_error *err)
{
    out->n_rest = source->n_bytes;
    out->rest = source->bytes;
    if (!source->file) return ENG_OK;
    uint8_t *rest = eng_arena_alloc(arena, source->n_bytes + 1, 1);
    if (!rest) return eng_fail_memory(err, "a model's bytes");
    out->rest = rest;
    return onnx_source_read(source, 0, rest, source->n_bytes, err);
}

static enum eng_status split(struct search *s, struct eng_arena *arena, struct onnx_split *out,
                             struct eng_error *err)
{
    bool one;
    enum eng_status status = find_graph(s, &one, err);
    if (status == ENG_OK && one) status = find_parts(s, err);
    if (status != ENG_OK) return status;
    if (s->n_parts == 0) return read_all(s->source, arena, out, err);
    status = read_rest(s, arena, out, err);
    return status == ENG_OK ? read_parts(s, arena, out, err) : status;
}

enum eng_status onnx_split(const struct onnx_source *source, struct eng_arena *arena,
                           struct onnx_split *out, struct eng_error *err)
{
    *out = (struct onnx_split){.rest = NULL};
    struct search *s = eng_calloc(1, sizeof *s); /* too large for a stack */
    if (!s) return eng_fail_memory(err, "a model's bytes");
    s->source = source;
    enum eng_status status = split(s, arena, out, err);
    free(s->parts);
    free(s);
    if (status == ENG_OK) return ENG_OK;
    eng_block_free(out->data, out->data_bytes);
    *out = (struct onnx_split){.rest = NULL};
    return status;
}
