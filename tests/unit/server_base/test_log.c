#include "base/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct srv_log_field fields[] = {{.key = "path", .text = "/a b\n\"x\"=\xFF"},
                                              {.key = "code", .number = 404},
                                              {.key = "model", .text = ""},
                                              {.key = "plain", .text = "mnist"},
                                              {.key = "key_of_16_chars_", .text = "word"}};

/* What one line with the fields above looks like. */
static void read_line(bool json, char *line, size_t n)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, json);
    assert_non_null(log);
    srv_log_write(log, SRV_LOG_DEBUG, "not logged", NULL, 0);
    srv_log_write(log, SRV_LOG_WARN, "a request", fields, sizeof fields / sizeof fields[0]);
    srv_log_destroy(log);
    close(ends[1]);
    ssize_t got = read(ends[0], line, n - 1);
    assert_true(got > 0);
    line[got] = '\0';
    close(ends[0]);
}

static void logfmt_quotes_what_is_not_plain(void **state)
{
    (void)state;
    char line[1024];
    read_line(false, line, sizeof line);
    const char *rest = strchr(line, ' ');
    assert_non_null(rest);
    assert_string_equal(
        rest, " level=warn msg=\"a request\" path=\"/a b\\n\\\"x\\\"=\xEF\xBF\xBD\" code=404 "
              "model=\"\" plain=mnist key_of_16_chars_=word\n");
    int year, month, day, hour, minute, second, microsecond;
    char end;
    assert_int_equal(sscanf(line, "time=%4d-%2d-%2dT%2d:%2d:%2d.%6d%c", &year, &month, &day, &hour,
                            &minute, &second, &microsecond, &end),
                     8);
    assert_int_equal(end, 'Z');
}

static void json_lines_are_json(void **state)
{
    (void)state;
    char line[1024];
    read_line(true, line, sizeof line);
    json_t *root = json_loads(line, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "msg")), "a request");
    assert_string_equal(json_string_value(json_object_get(root, "path")),
                        "/a b\n\"x\"=\xEF\xBF\xBD");
    assert_int_equal(json_integer_value(json_object_get(root, "code")), 404);
    assert_string_equal(json_string_value(json_object_get(root, "key_of_16_chars_")), "word");
    json_decref(root);
}

static void the_form_changes_from_one_line_to_the_next(void **state)
{
    (void)state;
    int ends[2];
    char text[1024];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, false);
    assert_non_null(log);
    for (int i = 0; i < 4; i++) { /* within a second, so what is kept of the time is asked for */
        srv_log_set_json(log, i % 2 == 1);
        srv_log_write(log, SRV_LOG_INFO, "line", NULL, 0);
    }
    srv_log_set_json(NULL, true);
    srv_log_destroy(log);
    close(ends[1]);
    ssize_t got = read(ends[0], text, sizeof text - 1);
    assert_true(got > 0);
    text[got] = '\0';
    close(ends[0]);
    char *rest = text;
    for (int i = 0; i < 4; i++) {
        char *line = strsep(&rest, "\n");
        json_t *root = json_loads(line, 0, NULL);
        assert_int_equal(root != NULL, i % 2 == 1);
        if (!root) assert_int_equal(strncmp(line, "time=2", 6), 0);
        json_decref(root);
    }
    assert_string_equal(rest, "");
}

static void a_long_value_is_cut(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, false);
    char value[3000], line[4096];
    memset(value, 'a', sizeof value);
    value[sizeof value - 1] = '\0';
    const struct srv_log_field field = {.key = "path", .text = value};
    srv_log_write(log, SRV_LOG_INFO, "request", &field, 1);
    srv_log_destroy(log);
    ssize_t got = read(ends[0], line, sizeof line);
    assert_in_range(got, 1024, 1200);
    close(ends[0]);
    close(ends[1]);
}

/* A reader that takes nothing: the writers go on, what does not fit is counted, the end comes. */
static void a_slow_reader_holds_up_nobody(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, false);
    char value[1000];
    memset(value, 'a', sizeof value);
    value[sizeof value - 1] = '\0';
    const struct srv_log_field field = {.key = "path", .text = value};
    for (int i = 0; i < 5000; i++)
        srv_log_write(log, SRV_LOG_INFO, "request", &field, 1);
    assert_in_range(srv_log_dropped(log), 1000, 5000);
    for (size_t n = sizeof value; n-- > 0;) { /* to the brim: beyond it the sanitizer sees us */
        value[n] = '\0';
        srv_log_write(log, SRV_LOG_INFO, "request", &field, 1);
    }
    srv_log_destroy(log);
    close(ends[0]);
    close(ends[1]);
}

/* A line has room for 8 KiB: what does not fit is left out whole. */
static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, true);
    char value[1025], line[16384];
    memset(value, '\x01', 1024); /* six bytes each in JSON */
    value[1024] = '\0';
    const struct srv_log_field many[] = {{.key = "a", .text = value},
                                         {.key = "b", .text = value},
                                         {.key = "c", .text = "short"},
                                         {.key = "d", .text = value}};
    srv_log_write(log, SRV_LOG_INFO, "m", many, 4);
    srv_log_destroy(log);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    assert_in_range(got, 6144, 8300);
    line[got] = '\0';
    json_t *root = json_loads(line, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_string_length(json_object_get(root, "a")), 1024);
    assert_null(json_object_get(root, "b"));
    assert_string_equal(json_string_value(json_object_get(root, "c")), "short");
    assert_null(json_object_get(root, "d"));
    json_decref(root);
    close(ends[0]);
    close(ends[1]);
}

/* Each line whole, whatever the descriptor is. */
static void a_file_gets_every_line(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    struct srv_log *log = srv_log_create(fileno(file), SRV_LOG_INFO, false);
    for (int i = 0; i < 3000; i++)
        srv_log_write(log, SRV_LOG_INFO, "request",
                      &(struct srv_log_field){.key = "i", .number = i}, 1);
    srv_log_destroy(log);
    rewind(file);
    char line[256], wanted[64];
    for (int i = 0; i < 3000; i++) {
        assert_non_null(fgets(line, sizeof line, file));
        snprintf(wanted, sizeof wanted, " level=info msg=request i=%d\n", i);
        assert_string_equal(strchr(line, ' '), wanted);
    }
    assert_null(fgets(line, sizeof line, file));
    fclose(file);
}

static void the_level_can_be_changed(void **state)
{
    (void)state;
    char line[1024];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_WARN, false);
    enum srv_log_level level = SRV_LOG_ERROR;
    srv_log_write(log, SRV_LOG_INFO, "before", NULL, 0);
    assert_true(srv_log_level_parse("debug", &level));
    srv_log_set_level(log, level);
    assert_int_equal(srv_log_get_level(log), SRV_LOG_DEBUG);
    srv_log_write(log, SRV_LOG_DEBUG, "after", NULL, 0);
    assert_false(srv_log_level_parse("Debug", &level));
    assert_string_equal(srv_log_level_name(SRV_LOG_WARN), "warn");
    srv_log_destroy(log);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    assert_true(got > 0);
    line[got] = '\0';
    assert_null(strstr(line, "before"));
    assert_non_null(strstr(line, " level=debug msg=after\n"));
    close(ends[0]);
    close(ends[1]);
}

static void no_log_is_a_log(void **state)
{
    (void)state;
    srv_log_write(NULL, SRV_LOG_ERROR, "x", fields, 4);
    assert_int_equal(srv_log_dropped(NULL), 0);
    srv_log_set_level(NULL, SRV_LOG_DEBUG);
    assert_int_equal(srv_log_get_level(NULL), SRV_LOG_ERROR);
    srv_log_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_quotes_what_is_not_plain),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(the_form_changes_from_one_line_to_the_next),
        cmocka_unit_test(a_long_value_is_cut),
        cmocka_unit_test(a_slow_reader_holds_up_nobody),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(a_file_gets_every_line),
        cmocka_unit_test(the_level_can_be_changed),
        cmocka_unit_test(no_log_is_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
