#include "kernels/dispatch.h"

#include "base/error.h"
#include "engine/cpu.h"
#include "kernels/vector.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const struct eng_kernels *const tables[] = {
#ifdef ENG_X86
    &eng_kernels_avx512,
    &eng_kernels_avx2,
#endif
    &eng_kernels_portable,
};

enum { N_TABLES = sizeof tables / sizeof tables[0] };

const struct eng_kernels *eng_kernels_at(size_t i)
{
    return i < N_TABLES ? tables[i] : NULL;
}

/* A table, and what its CPU may have beside. */
struct level {
    const char *name;
    const struct eng_kernels *kernels; /* NULL: not for this kind of CPU */
    unsigned features;
    bool (*has_features)(void); /* NULL: it has none */
};

#ifdef ENG_X86
static bool has_vnni(void)
{
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

static bool has_bf16(void)
{
    return has_vnni() && __builtin_cpu_supports("avx512bf16");
}

#define X86_LEVEL(name, table, features, has) \
    {                                         \
        name, &table, features, has           \
    }
#else
#define X86_LEVEL(name, table, features, has) \
    {                                         \
        name, NULL, 0, NULL                   \
    }
#endif

static const struct level levels[] = {
    X86_LEVEL("avx512_bf16", eng_kernels_avx512, ENG_CPU_VNNI | ENG_CPU_BF16, has_bf16),
    X86_LEVEL("avx512_vnni", eng_kernels_avx512, ENG_CPU_VNNI, has_vnni),
    X86_LEVEL("avx512", eng_kernels_avx512, 0, NULL),
    X86_LEVEL("avx2", eng_kernels_avx2, 0, NULL),
    {"portable", &eng_kernels_portable, 0, NULL},
};

enum { N_LEVELS = sizeof levels / sizeof levels[0] };

static _Atomic(const struct level *) chosen; /* once set, it stays */

static bool runs_here(const struct level *level)
{
    return level->kernels && level->kernels->runs_here() &&
           (!level->has_features || level->has_features());
}

static const struct level *best_level(void)
{
    size_t i = 0;
    while (!runs_here(&levels[i])) /* the last one runs everywhere */
        i++;
    return &levels[i];
}

/* The level in use: the wanted one if there was none. */
static const struct level *choose(const struct level *wanted)
{
    const struct level *found = NULL;
    return atomic_compare_exchange_strong(&chosen, &found, wanted) ? wanted : found;
}

static const struct level *level_in_use(void)
{
    const struct level *level = atomic_load_explicit(&chosen, memory_order_acquire);
    return level ? level : choose(best_level());
}

const struct eng_kernels *eng_kernels(void)
{
    return level_in_use()->kernels;
}

bool eng_kernels_have(enum eng_cpu_feature feature)
{
    return (level_in_use()->features & feature) != 0;
}

const char *eng_cpu_level(void)
{
    return level_in_use()->name;
}

const char *eng_cpu_level_at(size_t i)
{
    return i < N_LEVELS ? levels[i].name : NULL;
}

bool eng_cpu_runs(size_t i)
{
    return i < N_LEVELS && runs_here(&levels[i]);
}

/* "auto, avx2, portable": what may be asked for here. */
static const char *list_levels(char *text, size_t size)
{
    int n = snprintf(text, size, "auto");
    for (size_t i = 0; i < N_LEVELS && n >= 0 && (size_t)n < size; i++)
        if (runs_here(&levels[i]))
            n += snprintf(text + n, size - (size_t)n, ", %s", levels[i].name);
    return text;
}

static enum eng_status find_level(const char *name, const struct level **out, struct eng_error *err)
{
    char text[128];
    size_t i = 0;
    if (strcmp(name, "auto") == 0) {
        *out = best_level();
        return ENG_OK;
    }
    while (i < N_LEVELS && strcmp(levels[i].name, name) != 0)
        i++;
    if (i == N_LEVELS)
        return eng_fail(err, ENG_ARGUMENT, "there is no CPU level \"%.40s\"; wanted one of %s",
                        name, list_levels(text, sizeof text));
    if (!runs_here(&levels[i]))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "this CPU lacks instructions of the level %s; wanted one of %s", name,
                        list_levels(text, sizeof text));
    *out = &levels[i];
    return ENG_OK;
}

enum eng_status eng_cpu_set_level(const char *name, struct eng_error *err)
{
    const struct level *wanted;
    enum eng_status status = find_level(name, &wanted, err);
    if (status != ENG_OK) return status;
    const struct level *used = choose(wanted);
    if (used == wanted) return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT,
                    "the CPU level %s is asked for while %s is in use; wanted before the first "
                    "model is opened",
                    wanted->name, used->name);
}
