#include "kernels/nearest.h"

#include "base/mem.h"

#include <math.h>

/*
 * References are cut into chunks, one for a thread to take, and these into blocks that stay in the
 * second-level cache while a group of queries is compared with them. Each chunk keeps the k nearest
 * of its own for every query; what the chunks kept is joined at the end. Chunks depend on the
 * number of references only.
 */
enum {
    MAX_CHUNKS = 64,
    MIN_CHUNK = 512,
    BLOCK_BYTES = 128 << 10,
    MAX_PAIRS = 8192, /* of a group of queries with a block: 32 KiB of distances on the stack */
};

/* A heap of the nearest so far, the farthest of them first. */
struct heap {
    struct eng_neighbour *items;
    size_t n, capacity;
};

struct search {
    const struct eng_nearest *nearest;
    const struct eng_distance_kernels *kernels;
    const float *queries;
    size_t chunk; /* references in each but the last */
    size_t n_chunks;
    size_t n_kept;              /* the most that a chunk keeps for a query */
    struct eng_neighbour *kept; /* [n_queries, n_chunks, n_kept] */
    size_t *n_in_heap;          /* [n_queries, n_chunks] */
    uint8_t *bytes;             /* [n_as_bytes, n_features] the queries that are bytes */
    size_t *as_bytes;           /* [n_as_bytes] which those are */
    size_t *as_floats;          /* [n_queries - n_as_bytes] the others */
    size_t n_as_bytes;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Nearer first, then by index: no two references are equal. */
static bool is_before(struct eng_neighbour a, struct eng_neighbour b)
{
    return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
}

/* Puts item at or below place, where its children and theirs are heaps already. */
static void sift_down(struct eng_neighbour *items, size_t n, size_t place,
                      struct eng_neighbour item)
{
    for (size_t child; (child = 2 * place + 1) < n; place = child) {
        if (child + 1 < n && is_before(items[child], items[child + 1])) child++;
        if (!is_before(item, items[child])) break;
        items[place] = items[child];
    }
    items[place] = item;
}

static void sift_up(struct eng_neighbour *items, size_t place, struct eng_neighbour item)
{
    for (size_t parent; place > 0; place = parent) {
        parent = (place - 1) / 2;
        if (!is_before(items[parent], item)) break;
        items[place] = items[parent];
    }
    items[place] = item;
}

static void offer(struct heap *heap, double distance, size_t index)
{
    struct eng_neighbour item = {isnan(distance) ? INFINITY : distance, (uint32_t)index};
    if (heap->n < heap->capacity)
        sift_up(heap->items, heap->n++, item);
    else if (is_before(item, heap->items[0]))
        sift_down(heap->items, heap->n, 0, item);
}

/* Nearest first. */
static void sort(struct heap *heap)
{
    for (size_t n = heap->n; n-- > 1;) {
        struct eng_neighbour last = heap->items[n];
        heap->items[n] = heap->items[0];
        sift_down(heap->items, n, 0, last);
    }
}

/* The memory of a run as pieces of scratch, or, with scratch NULL, only its size. */
struct layout {
    uint8_t *scratch;
    size_t n_bytes;
    bool fits;
};

static void *take(struct layout *layout, size_t n, size_t n_each, size_t bytes)
{
    size_t n_bytes, end;
    bool fits = eng_mul_size(n, n_each, &n_bytes) && eng_mul_size(n_bytes, bytes, &n_bytes) &&
                n_bytes <= SIZE_MAX / 2 &&
                eng_add_size(layout->n_bytes, eng_align_up(n_bytes), &end);
    layout->fits = layout->fits && fits;
    if (!layout->fits) return NULL;
    void *piece = layout->scratch ? layout->scratch + layout->n_bytes : NULL;
    layout->n_bytes = end;
    return piece;
}

static struct search lay_out(const struct eng_nearest *nearest, struct layout *layout)
{
    struct search s = {.nearest = nearest};
    size_t n_queries = nearest->n_queries;
    s.chunk = (nearest->n_references + MAX_CHUNKS - 1) / MAX_CHUNKS;
    if (s.chunk < MIN_CHUNK) s.chunk = MIN_CHUNK;
    s.n_chunks = (nearest->n_references + s.chunk - 1) / s.chunk;
    s.n_kept = smaller(nearest->k, s.chunk);
    s.kept = take(layout, n_queries, s.n_chunks * s.n_kept, sizeof *s.kept);
    s.n_in_heap = take(layout, n_queries, s.n_chunks, sizeof *s.n_in_heap);
    s.bytes = take(layout, n_queries, nearest->n_features, 1);
    s.as_bytes = take(layout, n_queries, 1, sizeof *s.as_bytes);
    s.as_floats = take(layout, n_queries, 1, sizeof *s.as_floats);
    return s;
}

bool eng_nearest_scratch_bytes(const struct eng_nearest *nearest, size_t *n_bytes)
{
    struct layout layout = {.fits = true};
    lay_out(nearest, &layout);
    if (layout.fits) *n_bytes = layout.n_bytes;
    return layout.fits;
}

static struct heap heap_of(const struct search *s, size_t query, size_t chunk)
{
    size_t at = query * s->n_chunks + chunk;
    return (struct heap){s->kept + at * s->n_kept, s->n_in_heap[at], s->n_kept};
}

static bool to_bytes(const float *query, size_t n, uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++) {
        if (!(query[i] >= 0 && query[i] <= 255)) return false;
        bytes[i] = (uint8_t)query[i];
        if ((float)bytes[i] != query[i]) return false;
    }
    return true;
}

static void sort_out_queries(struct search *s)
{
    size_t n = s->nearest->n_features, n_as_floats = 0;
    for (size_t i = 0; i < s->nearest->n_queries; i++) {
        if (to_bytes(s->queries + i * n, n, s->bytes + s->n_as_bytes * n))
            s->as_bytes[s->n_as_bytes++] = i;
        else
            s->as_floats[n_as_floats++] = i;
        for (size_t c = 0; c < s->n_chunks; c++)
            s->n_in_heap[i * s->n_chunks + c] = 0;
    }
}

/* All references of a block, from first, are offered to one query. */
static void offer_bytes(const struct search *s, size_t query, size_t chunk, size_t first,
                        const uint32_t *distances, size_t n)
{
    struct heap heap = heap_of(s, query, chunk);
    size_t j = 0;
    for (; j < n && heap.n < heap.capacity; j++)
        offer(&heap, distances[j], first + j);
    for (uint32_t bound = 0; j < n; j++) {
        bound = (uint32_t)heap.items[0].distance;
        while (j < n && distances[j] >= bound) /* an equal one of higher index is farther */
            j++;
        if (j < n) offer(&heap, distances[j], first + j);
    }
    s->n_in_heap[query * s->n_chunks + chunk] = heap.n;
}

static void offer_floats(const struct search *s, size_t query, size_t chunk, size_t first, size_t n)
{
    const struct eng_nearest *nearest = s->nearest;
    double distances[ENG_DISTANCE_BLOCK];
    struct heap heap = heap_of(s, query, chunk);
    eng_distance_floats(nearest->distance, s->queries + query * nearest->n_features,
                        nearest->references + first * nearest->n_features, n, nearest->n_features,
                        distances);
    for (size_t j = 0; j < n; j++)
        offer(&heap, distances[j], first + j);
    s->n_in_heap[query * s->n_chunks + chunk] = heap.n;
}

static void search_block(const struct search *s, size_t chunk, size_t first, size_t n)
{
    const struct eng_nearest *nearest = s->nearest;
    uint32_t distances[MAX_PAIRS];
    size_t group = smaller(MAX_PAIRS / n / 4 * 4, ENG_DISTANCE_BLOCK); /* n: at most that, too */
    for (size_t i = 0; i < s->n_as_bytes; i += group) {
        struct eng_distance_block block = {.n_queries = smaller(group, s->n_as_bytes - i),
                                           .n_references = n,
                                           .n_features = nearest->n_features,
                                           .queries = s->bytes + i * nearest->n_features,
                                           .references =
                                               nearest->references + first * nearest->n_features,
                                           .out = distances};
        s->kernels->run[nearest->distance](&block);
        for (size_t q = 0; q < block.n_queries; q++)
            offer_bytes(s, s->as_bytes[i + q], chunk, first, distances + q * n, n);
    }
    for (size_t i = 0; i < nearest->n_queries - s->n_as_bytes; i++)
        offer_floats(s, s->as_floats[i], chunk, first, n);
}

/* A multiple of 4, the references of a tile. */
static size_t block_references(size_t n_features)
{
    size_t n = BLOCK_BYTES / n_features / 4 * 4;
    return n < 4 ? 4 : smaller(n, ENG_DISTANCE_BLOCK);
}

static void search_chunks(void *ctx, size_t begin, size_t end)
{
    const struct search *s = ctx;
    size_t step = block_references(s->nearest->n_features);
    for (size_t chunk = begin; chunk < end; chunk++) {
        size_t first = chunk * s->chunk;
        size_t last = smaller(first + s->chunk, s->nearest->n_references);
        for (; first < last; first += step)
            search_block(s, chunk, first, smaller(step, last - first));
    }
}

static void join(const struct search *s, size_t query, struct eng_neighbour *out)
{
    struct heap nearest = {.items = out, .capacity = s->nearest->k};
    for (size_t c = 0; c < s->n_chunks; c++) {
        struct heap heap = heap_of(s, query, c);
        for (size_t i = 0; i < heap.n; i++)
            offer(&nearest, heap.items[i].distance, heap.items[i].index);
    }
    sort(&nearest);
}

void eng_nearest_run(const struct eng_nearest *nearest, const float *queries,
                     struct eng_neighbour *out, void *scratch, struct eng_pool *pool)
{
    struct layout layout = {.scratch = scratch, .fits = true};
    struct search s = lay_out(nearest, &layout);
    s.queries = queries;
    s.kernels = eng_distance_kernels();
    sort_out_queries(&s);
    eng_pool_for(pool, s.n_chunks, 1, search_chunks, &s);
    for (size_t i = 0; i < nearest->n_queries; i++)
        join(&s, i, out + i * nearest->k);
}
