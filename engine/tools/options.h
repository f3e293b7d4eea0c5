/*
 * Command lines as tables: a command's options are rows over the members of a struct, and parsing,
 * range checks and --help come from the rows. Member output_dir is option --output-dir.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include "base/fields.h"

#include <stdbool.h>
#include <stddef.h>

enum { TOOL_MAX_TEXTS = 64 };

/* The values of an option that takes several: --input A B --input C. They point into argv. */
struct tool_texts {
    size_t n;
    const char *v[TOOL_MAX_TEXTS];
};

struct tool_option {
    struct eng_field field; /* name, type, place, default, range, choices, help */
    const char *value;      /* what --help calls the value; NULL: a flag */
    bool required;
    bool several; /* the member is a struct tool_texts; takes all words up to the next option */
};

/* Rows: the struct, its member, ... as ENG_F_*, and the value's name in --help. */
#define TOOL_FLAG(S, M, H)              \
    {                                   \
        .field = ENG_F_BOOL(S, M, 0, H) \
    }
#define TOOL_INT(S, M, D, LO, HI, V, H)                    \
    {                                                      \
        .field = ENG_F_INT(S, M, D, LO, HI, H), .value = V \
    }
#define TOOL_FLOAT(S, M, D, LO, HI, V, H)                    \
    {                                                        \
        .field = ENG_F_FLOAT(S, M, D, LO, HI, H), .value = V \
    }
#define TOOL_CHOICE(S, M, D, C, V, H)                    \
    {                                                    \
        .field = ENG_F_CHOICE(S, M, D, C, H), .value = V \
    }
#define TOOL_TEXT(S, M, V, H)                      \
    {                                              \
        .field = ENG_F_STRING(S, M, H), .value = V \
    }
#define TOOL_TEXT_REQUIRED(S, M, V, H)                               \
    {                                                                \
        .field = ENG_F_STRING(S, M, H), .value = V, .required = true \
    }
#define TOOL_TEXTS(S, M, V, H)                                      \
    {                                                               \
        .field = ENG_F_STRING(S, M, H), .value = V, .several = true \
    }

struct tool_syntax {
    const char *arguments;     /* "MODEL IMAGE...", as --help shows them */
    size_t min_args, max_args; /* how many words beside the options */
    const char *help;          /* what the command does, a few lines */
    const struct tool_option *options;
    size_t n_options;
};

/*
 * Purpose: fills the struct at values from the command line: defaults first, then what is given.
 *          Prints help, or what is wrong with the hint nearest in spelling.
 * Ownership: texts and *args point into argv, whose words beside the options are moved to its end.
 * Returns: true to go on; false to end with *exit_code (TOOL_OK after --help, else TOOL_USAGE).
 */
bool tool_options_parse(const struct tool_syntax *syntax, int argc, char **argv, void *values,
                        char ***args, size_t *n_args, int *exit_code);

#endif
