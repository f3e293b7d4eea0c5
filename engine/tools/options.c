#include "options.h"

#include "base/error.h"
#include "base/spelling.h"
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 24, OPTION_NAME_BYTES = 32, HELP_OPTION = MAX_OPTIONS };

/* The table as getopt_long wants it, --help added. */
struct long_options {
    char names[MAX_OPTIONS][OPTION_NAME_BYTES];
    const char *name_list[MAX_OPTIONS + 2];
    struct option rows[MAX_OPTIONS + 2];
};

static void list_options(const struct tool_syntax *syntax, struct long_options *list)
{
    size_t n = syntax->n_options;
    memset(list, 0, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const struct tool_option *option = &syntax->options[i];
        snprintf(list->names[i], OPTION_NAME_BYTES, "%s", option->field.name);
        for (char *c = list->names[i]; *c; c++)
            *c = *c == '_' ? '-' : *c;
        list->name_list[i] = list->names[i];
        list->rows[i] = (struct option){.name = list->names[i],
                                        .has_arg = option->value ? required_argument : no_argument,
                                        .val = (int)i};
    }
    list->name_list[n] = "help";
    list->rows[n] = (struct option){.name = "help", .has_arg = no_argument, .val = HELP_OPTION};
}

/* A default outside the range stands for "not given". */
static void print_range(const struct eng_field *field)
{
    if (field->type == ENG_FIELD_INT || field->type == ENG_FIELD_FLOAT) {
        printf(" (%.9g to %.9g", field->min, field->max);
        if (field->def >= field->min && field->def <= field->max)
            printf(", default %.9g", field->def);
        printf(")");
    }
    if (field->type == ENG_FIELD_CHOICE)
        printf(" (default %s)", field->choices[(size_t)field->def]);
}

static void print_help(const char *command, const struct tool_syntax *syntax,
                       const struct long_options *list)
{
    printf("usage: classify %s %s [OPTION]...\n\n%s\n\noptions:\n", command, syntax->arguments,
           syntax->help);
    for (size_t i = 0; i < syntax->n_options; i++) {
        const struct tool_option *option = &syntax->options[i];
        char left[64];
        snprintf(left, sizeof left, "--%s %s%s", list->names[i], option->value ? option->value : "",
                 option->several ? "..." : "");
        printf("  %-26s %s", left, option->field.help);
        print_range(&option->field);
        printf("%s\n", option->required ? " (required)" : "");
    }
    printf("  %-26s %s\n", "--help", "print this");
}

static bool usage_error(const char *command, const struct eng_error *err)
{
    tool_fail(command, err);
    fprintf(stderr, "Try 'classify %s --help'.\n", command);
    return false;
}

/* A number must be the whole word: "12x" is refused, not read as 12. */
static enum eng_status parse_number(const struct eng_field *field, const char *text, double *out,
                                    struct eng_error *err)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno == ERANGE)
        return eng_fail(err, ENG_ARGUMENT, "%s is '%s', but must be a number from %g to %g",
                        field->name, text, field->min, field->max);
    *out = value;
    return ENG_OK;
}

static enum eng_status set_value(const struct eng_field *field, void *values, const char *text,
                                 struct eng_error *err)
{
    double number = 1;
    enum eng_status status;
    switch (field->type) {
    case ENG_FIELD_BOOL:
        return eng_field_set_number(field, values, number, err);
    case ENG_FIELD_INT:
    case ENG_FIELD_FLOAT:
        status = parse_number(field, text, &number, err);
        return status ? status : eng_field_set_number(field, values, number, err);
    default:
        return eng_field_set_text(field, values, text, err);
    }
}

/* getopt has taken the first word; the others follow up to the next option. */
static enum eng_status set_several(const struct tool_option *option, void *values, int argc,
                                   char **argv, struct eng_error *err)
{
    struct tool_texts *texts = (struct tool_texts *)((char *)values + option->field.offset);
    const char *word = optarg;
    do {
        if (texts->n == TOOL_MAX_TEXTS)
            return eng_fail(err, ENG_ARGUMENT, "%s takes at most %d values", option->field.name,
                            TOOL_MAX_TEXTS);
        texts->v[texts->n++] = word;
        word = optind < argc && argv[optind][0] != '-' ? argv[optind++] : NULL;
    } while (word);
    return ENG_OK;
}

static void set_defaults(const struct tool_syntax *syntax, void *values)
{
    for (size_t i = 0; i < syntax->n_options; i++) {
        const struct tool_option *option = &syntax->options[i];
        if (option->several)
            memset((char *)values + option->field.offset, 0, sizeof(struct tool_texts));
        else
            eng_fields_defaults(&option->field, 1, values);
    }
}

/* What is left to check once every option was read. */
static enum eng_status check_complete(const struct tool_syntax *syntax, const bool *given,
                                      const struct long_options *list, size_t n_args,
                                      struct eng_error *err)
{
    if (n_args < syntax->min_args)
        return eng_fail(err, ENG_ARGUMENT, "wants %s, got %zu of them", syntax->arguments, n_args);
    if (n_args > syntax->max_args)
        return eng_fail(err, ENG_ARGUMENT, "wants %s, got %zu words", syntax->arguments, n_args);
    for (size_t i = 0; i < syntax->n_options; i++)
        if (syntax->options[i].required && !given[i])
            return eng_fail(err, ENG_ARGUMENT, "--%s %s is missing", list->names[i],
                            syntax->options[i].value);
    return ENG_OK;
}

static enum eng_status fail_unknown(const struct long_options *list, size_t n_names,
                                    const char *word, struct eng_error *err)
{
    char name[OPTION_NAME_BYTES];
    const char *start = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(start, "="), start);
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(list->name_list[i], name) == 0)
            return eng_fail(err, ENG_ARGUMENT, "option --%s takes no value", name);
    const char *nearest = eng_text_nearest(name, list->name_list);
    return eng_fail(err, ENG_ARGUMENT, "unknown option %s%s%s%s", word,
                    nearest ? "; did you mean --" : "", nearest ? nearest : "", nearest ? "?" : "");
}

/* One step of getopt_long: value is what it returned. */
static enum eng_status take_option(const struct tool_syntax *syntax, int value, int argc,
                                   char **argv, const struct long_options *list, void *values,
                                   struct eng_error *err)
{
    if (value == ':')
        return eng_fail(err, ENG_ARGUMENT, "option %s wants a value", argv[optind - 1]);
    if (value == '?') return fail_unknown(list, syntax->n_options + 1, argv[optind - 1], err);
    const struct tool_option *option = &syntax->options[value];
    return option->several ? set_several(option, values, argc, argv, err)
                           : set_value(&option->field, values, optarg, err);
}

bool tool_options_parse(const struct tool_syntax *syntax, int argc, char **argv, void *values,
                        char ***args, size_t *n_args, int *exit_code)
{
    struct long_options list;
    bool given[MAX_OPTIONS] = {false};
    struct eng_error err = {0};
    list_options(syntax, &list);
    set_defaults(syntax, values);
    *exit_code = TOOL_USAGE;
    optind = 0; /* glibc: start over, forgetting an earlier command line */
    opterr = 0;
    int value;
    while ((value = getopt_long(argc, argv, ":", list.rows, NULL)) != -1) {
        if (value == HELP_OPTION) {
            print_help(argv[0], syntax, &list);
            *exit_code = TOOL_OK;
            return false;
        }
        if (take_option(syntax, value, argc, argv, &list, values, &err))
            return usage_error(argv[0], &err);
        given[value] = true;
    }
    *args = argv + optind;
    *n_args = (size_t)(argc - optind);
    if (check_complete(syntax, given, &list, *n_args, &err)) return usage_error(argv[0], &err);
    return true;
}
