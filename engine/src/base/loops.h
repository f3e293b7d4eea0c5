/*
 * Where loops ask for help: a board of places, without locks. Whoever has a loop takes a place, and
 * helpers come and go by counting themselves in and out of it; its owner leaves it last. Places
 * outlive loops, so a helper that comes late finds a closed place and nothing worse.
 *
 * Chunks are dealt in sections of neighbours, one for each thread that may come. A thread starts
 * with its own, so that it finds in its cache what it wrote there in the loop before, and goes on
 * with what others have left: the last chunks are taken one by one.
 */
#ifndef ENG_BASE_LOOPS_H
#define ENG_BASE_LOOPS_H

#include "base/mem.h"
#include "engine/pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { ENG_LOOPS_PLACES = 64, ENG_LOOPS_SECTIONS = 16 };

struct eng_loop_section {
    _Alignas(ENG_ALIGN) atomic_size_t next;
    size_t end;
};

struct eng_loop {
    _Alignas(ENG_ALIGN) atomic_uint state; /* bits as in loops.c, and how many helpers are inside */
    eng_loop_fn *fn;                       /* written while the place is closed and empty */
    void *ctx;
    size_t n, grain;
    size_t n_sections;
    struct eng_loop_section sections[ENG_LOOPS_SECTIONS];
};

struct eng_loops {
    _Alignas(ENG_ALIGN) _Atomic uint64_t open; /* places with chunks to give */
    _Alignas(ENG_ALIGN) _Atomic uint64_t taken;
    unsigned max_helpers; /* of a loop; above 0 */
    struct eng_loop places[ENG_LOOPS_PLACES];
};

/* Purpose: an empty board in zeroed or used memory. */
void eng_loops_init(struct eng_loops *loops, unsigned max_helpers);

/*
 * Purpose: puts a loop of n_chunks > 1 chunks of grain on the board. NULL: all places are taken,
 * and the loop is its caller's alone.
 */
struct eng_loop *eng_loops_open(struct eng_loops *loops, size_t n, size_t grain, size_t n_chunks,
                                eng_loop_fn *fn, void *ctx);

/* Purpose: the owner's part: takes chunks until there are none, and lets nobody in any more. True:
 * no helper is inside. */
bool eng_loops_run(struct eng_loops *loops, struct eng_loop *loop);

/* Purpose: whether helpers are still inside of the owner's loop. */
bool eng_loop_is_busy(const struct eng_loop *loop);

/* Purpose: marks the owner as asleep; false if no helper is inside. */
bool eng_loop_sleep(struct eng_loop *loop);

/* Purpose: gives the place back. Nobody is inside. */
void eng_loops_close(struct eng_loops *loops, struct eng_loop *loop);

enum eng_loops_help {
    ENG_LOOPS_NONE, /* there was nothing to help with */
    ENG_LOOPS_HELPED,
    ENG_LOOPS_LAST_OUT /* helped, and the owner sleeps until it is woken */
};

/* Purpose: helps with one loop, until it has no chunks left or a task waits. helper: any number,
 * always the same for the same thread. */
enum eng_loops_help eng_loops_help(struct eng_loops *loops, size_t helper,
                                   const atomic_int *n_tasks);

/* Purpose: whether eng_loops_help would find something. */
bool eng_loops_want_help(const struct eng_loops *loops);

#endif
