#include "graph/place.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const struct eng_block *x = *(struct eng_block *const *)a, *y = *(struct eng_block *const *)b;
    if (x->n_bytes != y->n_bytes) return x->n_bytes < y->n_bytes ? 1 : -1;
    return x < y ? -1 : 1; /* qsort is not stable; the plan must not depend on it */
}

/* The smallest gap that fits among `placed`, which stands in order of offset. */
static size_t best_gap(const struct eng_block *block, struct eng_block *const *placed,
                       size_t n_placed)
{
    size_t best = (size_t)-1, best_gap_bytes = (size_t)-1, free_from = 0;
    for (size_t i = 0; i < n_placed; i++) {
        const struct eng_block *other = placed[i];
        if (other->last < block->first || block->last < other->first) continue;
        if (other->offset > free_from) {
            size_t gap = other->offset - free_from;
            if (gap >= block->n_bytes && gap < best_gap_bytes) {
                best_gap_bytes = gap;
                best = free_from;
            }
        }
        size_t end = other->offset + other->n_bytes;
        free_from = end > free_from ? end : free_from;
    }
    return best != (size_t)-1 ? best : free_from;
}

static void insert_by_offset(struct eng_block **placed, size_t n_placed, struct eng_block *block)
{
    size_t i = n_placed;
    for (; i > 0 && placed[i - 1]->offset > block->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = block;
}

/* Places the blocks in this order; false when the arena would exceed max_bytes. */
static bool place_in_order(struct eng_block **order, struct eng_block **placed, size_t n,
                           size_t max_bytes, size_t *arena_bytes)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        order[i]->offset = best_gap(order[i], placed, i);
        size_t end = order[i]->offset + order[i]->n_bytes;
        total = end > total ? end : total;
        if (total > max_bytes) return false;
        insert_by_offset(placed, i, order[i]);
    }
    *arena_bytes = total;
    return true;
}

enum eng_status eng_place_blocks(struct eng_block *blocks, size_t n, size_t max_bytes,
                                 size_t *arena_bytes)
{
    for (size_t i = 0; i < n; i++) {
        if (blocks[i].n_bytes > max_bytes) return ENG_LIMIT;
        blocks[i].n_bytes = eng_align_up(blocks[i].n_bytes);
    }
    struct eng_block **order = eng_calloc(n, sizeof *order);
    struct eng_block **placed = eng_calloc(n, sizeof *placed);
    enum eng_status status = ENG_NO_MEMORY;
    if (order && placed) {
        for (size_t i = 0; i < n; i++)
            order[i] = &blocks[i];
        qsort(order, n, sizeof *order, larger_first);
        status = place_in_order(order, placed, n, max_bytes, arena_bytes) ? ENG_OK : ENG_LIMIT;
    }
    free(order);
    free(placed);
    return status;
}
