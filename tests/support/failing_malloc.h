/*
 * The failing-allocation sweep: a call is repeated while its allocation number n = 0, 1, 2 ...
 * fails, until it succeeds. For unit/FOLDER/sweep_*.c, which CMake links with -Wl,--wrap=malloc and
 * the like: what our own code allocates is counted, what the system's shared libraries allocate is
 * not.
 */
#ifndef TESTS_FAILING_MALLOC_H
#define TESTS_FAILING_MALLOC_H

#include "engine/status.h"

#include <stddef.h>

/*
 * The call under test. It must return ENG_NO_MEMORY with a sentence when an allocation failed,
 * having written no result; what it made on success it frees itself.
 */
typedef enum eng_status failing_malloc_call(void *ctx, struct eng_error *err);

/*
 * Purpose: runs the whole sweep twice: only allocation n fails, then n and all that follow. Fails
 * the cmocka test when the call succeeds without its memory, reports another error, or none.
 * Returns how many allocations the call makes. Leaks are left to the address sanitizer.
 * Threads: counts and fails the calling thread's allocations only.
 */
size_t failing_malloc_sweep(failing_malloc_call *call, void *ctx);

#endif
