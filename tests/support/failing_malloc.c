#include "failing_malloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { MAX_ALLOCATIONS = 100000 };

static _Thread_local struct {
    bool armed, all_after, fired;
    size_t n_left; /* allocations that still succeed */
} sweep;

/* True if the present allocation is to fail. */
static bool fails(void)
{
    if (!sweep.armed) return false;
    if (sweep.n_left > 0) {
        sweep.n_left--;
        return false;
    }
    if (sweep.fired && !sweep.all_after) return false;
    sweep.fired = true;
    errno = ENOMEM;
    return true;
}

/* The linker sends calls of NAME to __wrap_NAME, and __real_NAME to the library's or the
 * sanitizer's. */
#define WRAP(type, name, parameters, arguments, failure)      \
    type __real_##name parameters;                            \
    type __wrap_##name parameters;                            \
    type __wrap_##name parameters                             \
    {                                                         \
        return fails() ? (failure) : __real_##name arguments; \
    }

WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, calloc, (size_t n, size_t bytes), (n, bytes), NULL)
WRAP(void *, realloc, (void *old, size_t n), (old, n), NULL)
WRAP(void *, aligned_alloc, (size_t align, size_t n), (align, n), NULL)
WRAP(int, posix_memalign, (void **out, size_t align, size_t n), (out, align, n), ENOMEM)
WRAP(void *, mmap, (void *at, size_t n, int protection, int flags, int fd, off_t offset),
     (at, n, protection, flags, fd, offset), MAP_FAILED)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t n), (text, n), NULL)

/* One run in which allocation n fails. Returns false when the call makes fewer than that. */
static bool run_once(failing_malloc_call *call, void *ctx, size_t n, bool all_after)
{
    struct eng_error err = {0};
    sweep.armed = true;
    sweep.fired = false;
    sweep.all_after = all_after;
    sweep.n_left = n;
    enum eng_status status = call(ctx, &err);
    sweep.armed = false;
    enum eng_status wanted = sweep.fired ? ENG_NO_MEMORY : ENG_OK;
    if (status != wanted || err.status != wanted || (sweep.fired && !err.text[0]))
        fail_msg("allocation %zu%s fails: returned %s, error %s \"%s\", wanted %s", n,
                 all_after ? " and all after" : "", eng_status_name(status),
                 eng_status_name(err.status), err.text, eng_status_name(wanted));
    return sweep.fired;
}

size_t failing_malloc_sweep(failing_malloc_call *call, void *ctx)
{
    size_t n_allocations = 0;
    for (int all_after = 0; all_after <= 1; all_after++) {
        size_t n = 0;
        while (n < MAX_ALLOCATIONS && run_once(call, ctx, n, all_after))
            n++;
        if (n == MAX_ALLOCATIONS) fail_msg("the call still fails after %zu allocations", n);
        n_allocations = n;
    }
    return n_allocations;
}
