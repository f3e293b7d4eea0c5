#include "command.h"

#include <stdio.h>

int tool_fail(const char *command, const struct eng_error *err)
{
    fprintf(stderr, "classify %s: %s\n", command, err->text);
    return TOOL_FAILED;
}
