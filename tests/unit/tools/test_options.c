/* Command lines: what they set, what is refused, and the exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command.h"
#include "options.h"

#include <string.h>

enum { MAX_WORDS = 80 };

struct values {
    int64_t top;
    double seconds;
    bool json;
    int split;
    const char *output_dir;
    struct tool_texts input;
};

static const char *const splits[] = {"train", "test", NULL};

static const struct tool_option options[] = {
    TOOL_INT(struct values, top, 5, 1, 100, "K", "classes"),
    TOOL_FLOAT(struct values, seconds, 2, 0.1, 60, "S", "time"),
    TOOL_FLAG(struct values, json, "JSON"),
    TOOL_CHOICE(struct values, split, 1, splits, "train|test", "half"),
    TOOL_TEXT_REQUIRED(struct values, output_dir, "DIR", "where to"),
    TOOL_TEXTS(struct values, input, "FILE", "tensors"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL IMAGE",
    .min_args = 1,
    .max_args = 2,
    .help = "A test.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

struct parsed {
    bool go_on;
    int exit_code;
    struct values values;
    char *args[MAX_WORDS];
    size_t n_args;
};

/* Parses words separated by single spaces. */
static struct parsed parse(const char *line)
{
    static char text[1024];
    static char *argv[MAX_WORDS + 1];
    struct parsed p = {0};
    int argc = 0;
    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        assert_true(argc < MAX_WORDS);
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    char **args;
    p.go_on = tool_options_parse(&syntax, argc, argv, &p.values, &args, &p.n_args, &p.exit_code);
    for (size_t i = 0; p.go_on && i < p.n_args; i++)
        p.args[i] = args[i];
    return p;
}

static void sets_defaults(void **state)
{
    (void)state;
    struct parsed p = parse("test M --output-dir d");
    assert_true(p.go_on);
    assert_int_equal(p.values.top, 5);
    assert_true(p.values.seconds == 2);
    assert_false(p.values.json);
    assert_int_equal(p.values.split, 1);
    assert_int_equal(p.values.input.n, 0);
    assert_string_equal(p.values.output_dir, "d");
    assert_int_equal(p.n_args, 1);
    assert_string_equal(p.args[0], "M");
}

static void reads_every_form(void **state)
{
    (void)state;
    struct parsed p =
        parse("test --json M --top=7 --seconds 0.5 --split train --output-dir d -- --top");
    assert_true(p.go_on);
    assert_true(p.values.json);
    assert_int_equal(p.values.top, 7);
    assert_true(p.values.seconds == 0.5);
    assert_int_equal(p.values.split, 0);
    assert_int_equal(p.n_args, 2);
    assert_string_equal(p.args[1], "--top");
}

static void several_values_end_at_the_next_option(void **state)
{
    (void)state;
    struct parsed p = parse("test M --input a b --output-dir d --input c I");
    assert_true(p.go_on);
    assert_int_equal(p.values.input.n, 4);
    assert_string_equal(p.values.input.v[0], "a");
    assert_string_equal(p.values.input.v[1], "b");
    assert_string_equal(p.values.input.v[2], "c");
    assert_int_equal(p.n_args, 1);
    assert_string_equal(p.args[0], "M");
}

static void refuses_with_exit_code_2(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "test",
        "test --output-dir d",
        "test M",
        "test M I x --output-dir d",
        "test M --output-dir",
        "test M --output-dir d --tpo 3",
        "test M --output-dir d -x",
        "test M --output-dir d --json=1",
        "test M --output-dir d --top",
        "test M --output-dir d --top 0",
        "test M --output-dir d --top 101",
        "test M --output-dir d --top 1.5",
        "test M --output-dir d --top 3x",
        "test M --output-dir d --top nan",
        "test M --output-dir d --seconds 1e999",
        "test M --output-dir d --split both",
        "test M --output-dir d --input "
        "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
        "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct parsed p = parse(lines[i]);
        if (p.go_on || p.exit_code != TOOL_USAGE) fail_msg("'%s' was taken", lines[i]);
    }
}

static void help_ends_with_exit_code_0(void **state)
{
    (void)state;
    struct parsed p = parse("test --help");
    assert_false(p.go_on);
    assert_int_equal(p.exit_code, TOOL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_defaults),
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(several_values_end_at_the_next_option),
        cmocka_unit_test(refuses_with_exit_code_2),
        cmocka_unit_test(help_ends_with_exit_code_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
