#include "kernels/dispatch.h"

#include "kernels/vector.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct eng_kernels *const tables[] = {
#ifdef __x86_64__
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

static const struct eng_kernels *chosen;

static void choose(void)
{
    const char *wanted = getenv("ENGINE_CPU");
    for (size_t i = N_TABLES; i-- > 0;)
        if (tables[i]->runs_here()) chosen = tables[i];
    for (size_t i = 0; wanted && i < N_TABLES; i++)
        if (strcmp(tables[i]->name, wanted) == 0 && tables[i]->runs_here()) chosen = tables[i];
}

const struct eng_kernels *eng_kernels(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
