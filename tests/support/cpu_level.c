/* Linked into every test program: CLASSIFYD_CPU_LEVEL chooses the kernels that it tests, as it does
 * for the programs; the engine itself does not read the environment. A CPU that cannot: skipped. */
#include "engine/cpu.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void set_level(void)
{
    struct eng_error err = {0};
    const char *level = getenv("CLASSIFYD_CPU_LEVEL");
    enum eng_status status = level ? eng_cpu_set_level(level, &err) : ENG_OK;
    if (status == ENG_OK) return;
    fprintf(stderr, "CLASSIFYD_CPU_LEVEL: %s\n", err.text);
    _Exit(status == ENG_UNSUPPORTED ? 77 : EXIT_FAILURE);
}
