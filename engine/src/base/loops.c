#include "base/loops.h"

enum { IS_OPEN = 1 << 16, OWNER_SLEEPS = 1 << 17, HELPERS = IS_OPEN - 1 };

void eng_loops_init(struct eng_loops *loops, unsigned max_helpers)
{
    atomic_init(&loops->open, 0);
    atomic_init(&loops->taken, 0);
    loops->max_helpers = max_helpers;
    for (size_t i = 0; i < ENG_LOOPS_PLACES; i++)
        atomic_init(&loops->places[i].state, 0);
}

static uint64_t bit_of(const struct eng_loops *loops, const struct eng_loop *loop)
{
    return UINT64_C(1) << (loop - loops->places);
}

static struct eng_loop *take_place(struct eng_loops *loops)
{
    uint64_t taken = atomic_load_explicit(&loops->taken, memory_order_relaxed);
    int place;
    do {
        if (taken == UINT64_MAX) return NULL;
        place = __builtin_ctzll(~taken);
    } while (!atomic_compare_exchange_weak_explicit(&loops->taken, &taken,
                                                    taken | UINT64_C(1) << place,
                                                    memory_order_acquire, memory_order_relaxed));
    return &loops->places[place];
}

static void deal(struct eng_loop *loop, size_t n_chunks)
{
    size_t share = n_chunks / loop->n_sections, rest = n_chunks % loop->n_sections, next = 0;
    for (size_t s = 0; s < loop->n_sections; s++) {
        atomic_init(&loop->sections[s].next, next);
        next += share + (s < rest);
        loop->sections[s].end = next;
    }
}

struct eng_loop *eng_loops_open(struct eng_loops *loops, size_t n, size_t grain, size_t n_chunks,
                                eng_loop_fn *fn, void *ctx)
{
    struct eng_loop *loop = take_place(loops);
    if (!loop) return NULL;
    loop->fn = fn;
    loop->ctx = ctx;
    loop->n = n;
    loop->grain = grain;
    loop->n_sections = loops->max_helpers + 1;
    if (loop->n_sections > n_chunks) loop->n_sections = n_chunks;
    if (loop->n_sections > ENG_LOOPS_SECTIONS) loop->n_sections = ENG_LOOPS_SECTIONS;
    deal(loop, n_chunks);
    atomic_store_explicit(&loop->state, IS_OPEN, memory_order_release);
    atomic_fetch_or(&loops->open, bit_of(loops, loop));
    return loop;
}

/* Takes chunks until none is left, or, for a helper, until a task waits. */
static void run_chunks(struct eng_loops *loops, struct eng_loop *loop, size_t home,
                       const atomic_int *n_tasks)
{
    size_t n = loop->n, grain = loop->grain;
    for (size_t i = 0; i < loop->n_sections; i++) {
        struct eng_loop_section *s = &loop->sections[(home + i) % loop->n_sections];
        while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end) {
            if (n_tasks && atomic_load_explicit(n_tasks, memory_order_relaxed) > 0) return;
            size_t chunk = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed);
            if (chunk >= s->end) break;
            size_t begin = chunk * grain;
            loop->fn(loop->ctx, begin, n - begin > grain ? begin + grain : n);
        }
    }
    if (atomic_load_explicit(&loops->open, memory_order_relaxed) & bit_of(loops, loop))
        atomic_fetch_and(&loops->open, ~bit_of(loops, loop));
}

bool eng_loops_run(struct eng_loops *loops, struct eng_loop *loop)
{
    run_chunks(loops, loop, 0, NULL);
    unsigned before = atomic_fetch_and_explicit(&loop->state, HELPERS, memory_order_acquire);
    return (before & HELPERS) == 0;
}

bool eng_loop_is_busy(const struct eng_loop *loop)
{
    return atomic_load_explicit(&loop->state, memory_order_acquire) & HELPERS;
}

bool eng_loop_sleep(struct eng_loop *loop)
{
    return atomic_fetch_or_explicit(&loop->state, OWNER_SLEEPS, memory_order_acq_rel) & HELPERS;
}

void eng_loops_close(struct eng_loops *loops, struct eng_loop *loop)
{
    atomic_fetch_and_explicit(&loops->taken, ~bit_of(loops, loop), memory_order_release);
}

static bool has_room(const struct eng_loops *loops, unsigned state)
{
    return state & IS_OPEN && (state & HELPERS) < loops->max_helpers;
}

/* Only who is counted may look at the loop. */
static bool join(const struct eng_loops *loops, struct eng_loop *loop)
{
    unsigned state = atomic_load_explicit(&loop->state, memory_order_relaxed);
    while (has_room(loops, state))
        if (atomic_compare_exchange_weak_explicit(&loop->state, &state, state + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

enum eng_loops_help eng_loops_help(struct eng_loops *loops, size_t helper,
                                   const atomic_int *n_tasks)
{
    uint64_t open = atomic_load_explicit(&loops->open, memory_order_relaxed);
    for (; open; open &= open - 1) {
        struct eng_loop *loop = &loops->places[__builtin_ctzll(open)];
        if (!join(loops, loop)) continue;
        size_t home = loop->n_sections > 1 ? 1 + helper % (loop->n_sections - 1) : 0;
        run_chunks(loops, loop, home, n_tasks);
        unsigned before = atomic_fetch_sub_explicit(&loop->state, 1, memory_order_acq_rel);
        bool last = (before & HELPERS) == 1 && before & OWNER_SLEEPS;
        return last ? ENG_LOOPS_LAST_OUT : ENG_LOOPS_HELPED;
    }
    return ENG_LOOPS_NONE;
}

bool eng_loops_want_help(const struct eng_loops *loops)
{
    uint64_t open = atomic_load(&loops->open);
    for (; open; open &= open - 1) {
        const struct eng_loop *loop = &loops->places[__builtin_ctzll(open)];
        if (has_room(loops, atomic_load_explicit(&loop->state, memory_order_relaxed))) return true;
    }
    return false;
}
