#include "graph/place.h"

#include "base/arena.h"
#include "base/mem.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Steps are taken in stretches. Most blocks live for a moment, and are looked for in the stretch of
 * their first step; those that reach into more than the next one are kept apart. */
enum { STRETCH = 32, NONE = -1 };

/* Looks at blocks that one placement may take: 8000 blocks that all live at once, some 50 ms. */
static const uint64_t MAX_LOOKS = (uint64_t)1 << 25;

/* The blocks that have a place. */
struct placed {
    struct eng_block *blocks;
    int *head;                  /* [n_stretches] the first brief block of a stretch, or NONE */
    int *next;                  /* [n] the one after it */
    struct eng_block **lasting; /* in order of offset */
    struct eng_block **near;    /* the brief ones that live with the block in question, likewise */
    size_t n_stretches, n_lasting, n_near, end_bytes;
    uint64_t n_looks;
};

static int larger_first(const void *a, const void *b)
{
    const struct eng_block *x = *(struct eng_block *const *)a, *y = *(struct eng_block *const *)b;
    if (x->n_bytes != y->n_bytes) return x->n_bytes < y->n_bytes ? 1 : -1;
    return x < y ? -1 : 1; /* qsort is not stable; the plan must not depend on it */
}

static int lower_first(const void *a, const void *b)
{
    const struct eng_block *x = *(struct eng_block *const *)a, *y = *(struct eng_block *const *)b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x < y ? -1 : 1;
}

static bool live_together(const struct eng_block *a, const struct eng_block *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static size_t stretch_of(int step)
{
    return (size_t)step / STRETCH;
}

static void find_near(struct placed *placed, const struct eng_block *block)
{
    size_t from = stretch_of(block->first), to = stretch_of(block->last);
    placed->n_near = 0;
    for (size_t s = from > 0 ? from - 1 : 0; s <= to; s++)
        for (int i = placed->head[s]; i != NONE; i = placed->next[i], placed->n_looks++)
            if (live_together(&placed->blocks[i], block))
                placed->near[placed->n_near++] = &placed->blocks[i];
    placed->n_looks += to - from + 1;
    qsort(placed->near, placed->n_near, sizeof *placed->near, lower_first);
}

/* The gap that fits best among what has been passed in order of offset. */
struct gap {
    size_t free_from, best, best_bytes;
};

static void pass(struct gap *gap, const struct eng_block *other, const struct eng_block *block)
{
    size_t end = other->offset + other->n_bytes;
    if (other->offset > gap->free_from) {
        size_t n_bytes = other->offset - gap->free_from;
        if (n_bytes >= block->n_bytes && n_bytes < gap->best_bytes) {
            gap->best_bytes = n_bytes;
            gap->best = gap->free_from;
        }
    }
    gap->free_from = end > gap->free_from ? end : gap->free_from;
}

/* Of the two lists the one that is lower, until both are empty. */
static size_t best_gap(struct placed *placed, const struct eng_block *block)
{
    struct gap gap = {.best = SIZE_MAX, .best_bytes = SIZE_MAX};
    size_t i = 0, k = 0;
    find_near(placed, block);
    while (i < placed->n_lasting || k < placed->n_near) {
        bool lasting =
            k == placed->n_near ||
            (i < placed->n_lasting && placed->lasting[i]->offset < placed->near[k]->offset);
        const struct eng_block *other = lasting ? placed->lasting[i++] : placed->near[k++];
        if (!lasting || live_together(other, block)) pass(&gap, other, block);
    }
    placed->n_looks += i + k;
    return gap.best != SIZE_MAX ? gap.best : gap.free_from;
}

static void insert(struct placed *placed, struct eng_block *block)
{
    size_t first = stretch_of(block->first), end = block->offset + block->n_bytes;
    placed->end_bytes = end > placed->end_bytes ? end : placed->end_bytes;
    if (stretch_of(block->last) - first < 2) {
        int index = (int)(block - placed->blocks);
        placed->next[index] = placed->head[first];
        placed->head[first] = index;
        return;
    }
    size_t i = placed->n_lasting++;
    for (; i > 0 && placed->lasting[i - 1]->offset > block->offset; i--)
        placed->lasting[i] = placed->lasting[i - 1];
    placed->lasting[i] = block;
}

/* Places the blocks in this order; false when the arena would exceed max_bytes. */
static bool place_in_order(struct placed *placed, struct eng_block *const *order, size_t n,
                           size_t max_bytes, size_t *arena_bytes)
{
    for (size_t i = 0; i < n; i++) {
        bool looks = placed->n_looks < MAX_LOOKS;
        order[i]->offset = looks ? best_gap(placed, order[i]) : placed->end_bytes;
        if (order[i]->offset > max_bytes - order[i]->n_bytes) return false;
        if (looks)
            insert(placed, order[i]);
        else
            placed->end_bytes += order[i]->n_bytes;
    }
    *arena_bytes = placed->end_bytes;
    return true;
}

static bool placed_init(struct placed *placed, size_t n, struct eng_arena *arena)
{
    int last = 0;
    for (size_t i = 0; i < n; i++)
        last = placed->blocks[i].last > last ? placed->blocks[i].last : last;
    placed->n_stretches = stretch_of(last) + 1;
    placed->head = eng_arena_alloc(arena, placed->n_stretches, sizeof *placed->head);
    placed->next = eng_arena_alloc(arena, n, sizeof *placed->next);
    placed->lasting = eng_arena_alloc(arena, n, sizeof *placed->lasting);
    placed->near = eng_arena_alloc(arena, n, sizeof *placed->near);
    for (size_t s = 0; placed->head && s < placed->n_stretches; s++)
        placed->head[s] = NONE;
    return placed->head && placed->next && placed->lasting && placed->near;
}

enum eng_status eng_place_blocks(struct eng_block *blocks, size_t n, size_t max_bytes,
                                 size_t *arena_bytes)
{
    if (n > INT_MAX) return ENG_LIMIT;
    for (size_t i = 0; i < n; i++) {
        if (blocks[i].n_bytes > max_bytes) return ENG_LIMIT;
        blocks[i].n_bytes = eng_align_up(blocks[i].n_bytes);
    }
    struct placed placed = {.blocks = blocks};
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct eng_block **order = eng_arena_alloc(&arena, n, sizeof *order);
    enum eng_status status = ENG_NO_MEMORY;
    if (order && placed_init(&placed, n, &arena)) {
        for (size_t i = 0; i < n; i++)
            order[i] = &blocks[i];
        qsort(order, n, sizeof *order, larger_first);
        status = place_in_order(&placed, order, n, max_bytes, arena_bytes) ? ENG_OK : ENG_LIMIT;
    }
    eng_arena_fini(&arena);
    return status;
}
