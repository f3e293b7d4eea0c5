/* Placing blocks of memory whose lifetimes are known in one arena. */
#ifndef ENG_GRAPH_PLACE_H
#define ENG_GRAPH_PLACE_H

#include "engine/status.h"

#include <stddef.h>

/* A block is alive from step `first` to step `last`, both included. */
struct eng_block {
    int first, last;
    size_t n_bytes;
    size_t offset; /* the answer: a multiple of ENG_ALIGN */
};

/*
 * Purpose: gives every block an offset such that no two blocks alive at the same step overlap.
 * Greedy by size, each into the smallest gap among those placed already whose lives overlap its
 * own. Errors: NO_MEMORY, and LIMIT when the arena would exceed max_bytes. Steps: 0 or more.
 * Cost: a look at every pair of blocks that live at about the same time, up to 3e7; the smallest
 * blocks behind those lie side by side.
 * Source: Y. Pisarchyk, J. Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020).
 */
enum eng_status eng_place_blocks(struct eng_block *blocks, size_t n, size_t max_bytes,
                                 size_t *arena_bytes);

#endif
