/* Loops that say what they cost, so that what is worth sharing is decided in one place. */
#ifndef ENG_BASE_SHARE_H
#define ENG_BASE_SHARE_H

#include "engine/pool.h"

/*
 * Purpose: runs fn over [0, n), where an item takes flops operations and reads and writes bytes in
 * all, inline or in chunks that are worth another thread's coming; otherwise as eng_pool_for.
 * Chunk borders depend on n, flops and bytes only. A loop that is too short to wait for a sleeper
 * is shared with workers that are awake (eng_pool_begin_run). Threads: any, workers included.
 */
void eng_share(struct eng_pool *pool, size_t n, double flops, double bytes, eng_loop_fn *fn,
               void *ctx);

/* Purpose: the chunk that eng_share would take, at least 1; n: it would not share. */
size_t eng_share_grain(size_t n, double flops, double bytes);

#endif
