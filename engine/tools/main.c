/* The classify command: finds the sub-command in the table and runs it. */
#include "base/spelling.h"
#include "command.h"
#include "engine/cpu.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name, *help;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(name, help) {#name, help, cmd_##name},
#include "commands.def"
#undef COMMAND
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *out)
{
    fprintf(out, "usage: classify [--cpu-level LEVEL] COMMAND [ARGUMENT]...\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n'classify COMMAND --help' explains one command. MODEL is an .onnx file or a "
                 "version folder\nthat holds a model.onnx. LEVEL: the instructions to compute "
                 "with, auto (the best that "
                 "this CPU\nhas, the default)");
    for (size_t i = 0; eng_cpu_level_at(i); i++)
        fprintf(out, ", %s", eng_cpu_level_at(i));
    fprintf(out, ".\n");
}

static const struct command *find_command(const char *name)
{
    const char *names[N_COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
        names[i] = commands[i].name;
    }
    const char *nearest = eng_text_nearest(name, names);
    fprintf(stderr, "classify: '%s' is no command", name);
    if (nearest) fprintf(stderr, "; did you mean '%s'?", nearest);
    fprintf(stderr, "\nTry 'classify --help'.\n");
    return NULL;
}

/* "--cpu-level LEVEL" before the command, which is taken out; else what the environment says. */
static int set_cpu_level(int *argc, char **argv)
{
    struct eng_error err = {0};
    const char *level = getenv("CLASSIFYD_CPU_LEVEL");
    if (*argc > 1 && strcmp(argv[1], "--cpu-level") == 0) {
        if (*argc < 3) {
            fprintf(stderr, "classify: --cpu-level wants a level\nTry 'classify --help'.\n");
            return TOOL_USAGE;
        }
        level = argv[2];
        memmove(argv + 1, argv + 3, (size_t)(*argc - 2) * sizeof *argv);
        *argc -= 2;
    }
    if (!level || eng_cpu_set_level(level, &err) == ENG_OK) return TOOL_OK;
    fprintf(stderr, "classify: %s\n", err.text);
    return TOOL_USAGE;
}

static int run_command(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return TOOL_USAGE;
    }
    const char *name = argv[1];
    bool help = strcmp(name, "help") == 0;
    if (strcmp(name, "--version") == 0) {
        printf("classify %s\n", CLASSIFYD_VERSION);
        return TOOL_OK;
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (help && argc == 2)) {
        print_usage(stdout);
        return TOOL_OK;
    }
    const struct command *command = find_command(help ? argv[2] : name);
    if (!command) return TOOL_USAGE;
    char help_option[] = "--help";
    if (help) return command->run(2, (char *[]){argv[2], help_option, NULL});
    return command->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int code = set_cpu_level(&argc, argv);
    if (code == TOOL_OK) code = run_command(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "classify: standard output could not be written\n");
        return code ? code : TOOL_FAILED;
    }
    return code;
}
