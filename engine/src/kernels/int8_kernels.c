#include "kernels/int8_kernels.h"

#include "kernels/dispatch.h"
#include "kernels/vector.h"

#include <string.h>

static const struct {
    const struct eng_int8_kernels *kernels;
    unsigned feature; /* that the level must have beside its table; 0: none */
} tables[] = {
#ifdef ENG_X86
    {&eng_int8_vnni, ENG_CPU_VNNI},
    {&eng_int8_avx2, 0},
#endif
    {&eng_int8_portable, 0},
};

enum { N_TABLES = sizeof tables / sizeof tables[0] };

const struct eng_int8_kernels *eng_int8_kernels(void)
{
    const char *level = eng_kernels()->name;
    size_t i = 0;
    while (i + 1 < N_TABLES && strcmp(tables[i].kernels->level, level) != 0)
        i++;
    if (tables[i].feature && !eng_kernels_have((enum eng_cpu_feature)tables[i].feature)) i++;
    return tables[i].kernels;
}
