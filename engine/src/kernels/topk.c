#include "kernels/topk.h"

#include "kernels/order.h"

static bool is_better(const struct eng_topk_entry *a, const struct eng_topk_entry *b)
{
    return a->key != b->key ? a->key > b->key : a->index < b->index;
}

/* The worst entry stands at the root; `entry` sinks from there to its place among n. */
static void sink(struct eng_topk_entry *heap, size_t n, size_t at, struct eng_topk_entry entry)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && is_better(&heap[child], &heap[child + 1])) child++;
        if (is_better(&heap[child], &entry)) break;
        heap[at] = heap[child];
    }
    heap[at] = entry;
}

/* Leaves the k best of a line in heap, best first. */
static void rank_line(const struct eng_topk *t, enum eng_dtype dtype, const void *x, size_t start,
                      struct eng_topk_entry *heap)
{
    uint64_t flip = t->smallest ? UINT64_MAX : 0;
    for (size_t i = 0; i < t->n; i++) {
        struct eng_topk_entry entry = {.key = eng_order_key(dtype, x, start + i * t->inner) ^ flip,
                                       .index = i};
        if (i < t->k)
            heap[i] = entry;
        else if (is_better(&entry, &heap[0]))
            sink(heap, t->k, 0, entry);
        if (i + 1 != t->k) continue;
        for (size_t at = t->k / 2; at-- > 0;)
            sink(heap, t->k, at, heap[at]);
    }
    for (size_t left = t->k; left-- > 1;) {
        struct eng_topk_entry last = heap[left];
        heap[left] = heap[0];
        sink(heap, left, 0, last);
    }
}

void eng_topk(const struct eng_topk *t, enum eng_dtype dtype, const void *x, void *values,
              int64_t *indices, struct eng_topk_entry *heap)
{
    size_t bytes = eng_dtype_bytes(dtype);
    if (t->k == 0) return;
    for (size_t line = 0; line < t->outer * t->inner; line++) {
        size_t outer = line / t->inner, inner = line % t->inner;
        size_t from = outer * t->n * t->inner + inner, to = outer * t->k * t->inner + inner;
        rank_line(t, dtype, x, from, heap);
        for (size_t i = 0; i < t->k; i++, to += t->inner) {
            if (values)
                memcpy((char *)values + to * bytes,
                       (const char *)x + (from + heap[i].index * t->inner) * bytes, bytes);
            indices[to] = (int64_t)heap[i].index;
        }
    }
}
