#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_ARGUMENTS = 8 };

/* The words of line become argv behind the program's name. */
static enum eng_status parse(const char *line, char *const *environment, struct srv_options *out,
                             struct eng_error *err)
{
    static char copy[512]; /* options.argument borrows from it */
    char *argv[MAX_ARGUMENTS + 2] = {"classifyd"};
    int argc = 1;
    char *none[] = {NULL}, *rest = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word && argc <= MAX_ARGUMENTS;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    return srv_options_parse(argc, argv, environment ? environment : none, out, err);
}

static void later_sources_win(void **state)
{
    (void)state;
    char path[] = "/tmp/classifyd_test_XXXXXX", line[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char json[] = "{\"max_batch\": 2, \"max_queue\": 2, \"max_pictures\": 2}";
    assert_int_equal(write(fd, json, strlen(json)), strlen(json));
    close(fd);
    char *environment[] = {"CLASSIFYD_MAX_BATCH=3", "CLASSIFYD_MAX_QUEUE=3", NULL};
    struct srv_options options;
    /* The file is read first although it stands last. */
    snprintf(line, sizeof line, "--max-batch 4 --config %s", path);
    struct eng_error err = {0};
    assert_int_equal(parse(line, environment, &options, &err), ENG_OK);
    assert_int_equal(options.config.max_batch, 4);
    assert_int_equal(options.config.max_queue, 3);
    assert_int_equal(options.config.max_pictures, 2);
    assert_int_equal(options.config.max_connections, 4096);
    srv_options_fini(&options);
    unlink(path);
}

static void every_way_to_write_a_flag(void **state)
{
    (void)state;
    static const char *const lines[] = {"--max-batch 9", "--max-batch=9", "--max_batch 9",
                                        "--set max_batch=9", "--set=max_batch=9"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct srv_options options;
        assert_int_equal(parse(lines[i], NULL, &options, NULL), ENG_OK);
        assert_int_equal(options.config.max_batch, 9);
        assert_int_equal(options.command, SRV_SERVE);
        srv_options_fini(&options);
    }
}

static void commands_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum srv_command command;
        const char *argument;
    } rows[] = {
        {"--help", SRV_HELP, ""},
        {"--version", SRV_VERSION, ""},
        {"--check --models x", SRV_CHECK, ""},
        {"--print-config", SRV_PRINT_CONFIG, ""},
        {"--healthcheck", SRV_HEALTHCHECK, ""},
        {"--healthcheck --models x", SRV_HEALTHCHECK, ""},
        {"--healthcheck 127.0.0.1:1", SRV_HEALTHCHECK, "127.0.0.1:1"},
        {"--healthcheck=http://a:1/x", SRV_HEALTHCHECK, "http://a:1/x"},
        {"--docs metrics", SRV_DOCS, "metrics"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_options options;
        assert_int_equal(parse(rows[i].line, NULL, &options, NULL), ENG_OK);
        assert_int_equal(options.command, rows[i].command);
        assert_string_equal(options.argument, rows[i].argument);
        srv_options_fini(&options);
    }
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *part;
    } rows[] = {
        {"--modles x", "--modles: there is no setting \"modles\"; the nearest is \"models\""},
        {"--modles", "the nearest is \"models\""},
        {"--models", "--models: wanted a value"},
        {"models x", "\"models\": wanted --key value"},
        {"-m x", "wanted --key value"},
        {"--", "wanted --key value"},
        {"--set max_batch", "wanted key=value"},
        {"--set max_bach=1", "the nearest is \"max_batch\""},
        {"--max-batch 0", "--max-batch: max_batch is 0; wanted 1 to 1024"},
        {"--config /nowhere/x.json", "/nowhere/x.json: No such file"},
        {"--version=3", "--version takes no value"},
        {"--docs", "--docs: wanted a value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_options options;
        struct eng_error err = {0};
        assert_int_not_equal(parse(rows[i].line, NULL, &options, &err), ENG_OK);
        if (!strstr(err.text, rows[i].part))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", rows[i].line, err.text, rows[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(every_way_to_write_a_flag),
        cmocka_unit_test(commands_are_known),
        cmocka_unit_test(bad_lines_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
