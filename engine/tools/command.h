/* What the commands of `classify` share: their table and their exit codes. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include "engine/status.h"

enum tool_exit {
    TOOL_OK = 0,
    TOOL_FAILED = 1, /* the work could not be done; the reason is on stderr */
    TOOL_USAGE = 2,  /* the command line was wrong */
};

#define COMMAND(name, help) int cmd_##name(int argc, char **argv);
#include "commands.def"
#undef COMMAND

/* Purpose: prints "classify NAME: sentence" to stderr. Returns TOOL_FAILED. */
int tool_fail(const char *command, const struct eng_error *err);

#endif
