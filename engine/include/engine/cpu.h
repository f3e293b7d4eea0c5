/*
 * For which instructions the engine computes. Every CPU that has the instructions of a level gives
 * the same bits at that level; the last bits of two levels may differ.
 */
#ifndef ENGINE_CPU_H
#define ENGINE_CPU_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Purpose: asks for a level by name: "portable", "avx2", "avx512", "avx512_vnni", "avx512_bf16", or
 * "auto", the best that this CPU runs, which is also what an engine uses that nobody asked.
 * Errors: ARGUMENT: no such level, or the engine computes at another already: ask before the first
 * model is opened. UNSUPPORTED: this CPU lacks the instructions. Sentences name the levels wanted.
 * Threads: any.
 */
enum eng_status eng_cpu_set_level(const char *name, struct eng_error *err);

/* Purpose: the level in use; chooses it if nobody has. Static string. Threads: any. */
const char *eng_cpu_level(void);

/* Purpose: the names of all levels, best first; NULL after the last. Static strings. */
const char *eng_cpu_level_at(size_t i);

/* Purpose: whether this CPU runs level i of that list. */
bool eng_cpu_runs(size_t i);

#endif
