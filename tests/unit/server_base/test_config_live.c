/* Settings that are read again: what holds, what waits for a restart, what a bad file changes. */
#include "base/config_live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char path[32];
    char *argv[8];
    char *environment[1];
    struct srv_options options;
    struct srv_config_live *live;
    int n_applied;
    const struct srv_config *before, *after;
};

static void write_file(struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void note(void *ctx, const struct srv_config *before, const struct srv_config *after)
{
    struct fixture *f = ctx;
    f->n_applied++;
    f->before = before;
    f->after = after;
}

/* A rule of somebody else's. */
static enum eng_status check(void *ctx, const struct srv_config *config, struct eng_error *err)
{
    (void)ctx;
    if (config->max_pictures != 13) return ENG_OK;
    snprintf(err->text, sizeof err->text, "max_pictures is 13");
    return err->status = ENG_ARGUMENT;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->path, "/tmp/classifyd_test_XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    write_file(f, "{\"max_queue\": 10, \"threads\": 1}");
    char *const argv[] = {"classifyd", "--config", f->path, "--max-pictures", "7"};
    memcpy(f->argv, argv, sizeof argv);
    assert_int_equal(srv_options_parse(5, f->argv, f->environment, &f->options, NULL), ENG_OK);
    assert_int_equal(srv_config_live_create(&f->options, NULL, check, note, f, &f->live, NULL),
                     ENG_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    srv_config_live_destroy(f->live);
    srv_options_fini(&f->options);
    unlink(f->path);
    free(f);
    return 0;
}

static void reload(struct fixture *f, const char *changes)
{
    struct srv_text text = {0};
    struct eng_error err = {0};
    if (srv_config_live_reload(f->live, &text, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_string_equal(text.bytes ? text.bytes : "", changes);
    srv_text_fini(&text);
}

static void refuses(struct fixture *f, const char *part)
{
    struct srv_text text = {0};
    struct eng_error err = {0};
    int n_applied = f->n_applied;
    assert_int_not_equal(srv_config_live_reload(f->live, &text, &err), ENG_OK);
    if (!strstr(err.text, part)) fail_msg("no \"%s\" in: %s", part, err.text);
    assert_null(text.bytes);
    assert_int_equal(f->n_applied, n_applied);
}

static void takes_what_needs_no_restart(void **state)
{
    struct fixture *f = *state;
    reload(f, "");
    assert_int_equal(f->n_applied, 0);
    write_file(f, "{\"max_queue\": 20, \"log_level\": \"warn\", \"threads\": 1}");
    reload(f, "{\"setting\":\"max_queue\",\"from\":10,\"to\":20,\"holds\":\"live\"},"
              "{\"setting\":\"log_level\",\"from\":\"info\",\"to\":\"warn\",\"holds\":\"live\"}");
    assert_int_equal(f->n_applied, 1);
    assert_ptr_equal(f->before, &f->options.config);
    assert_int_equal(f->before->max_queue, 10); /* its readers see what they saw */
    assert_int_equal(f->after->max_queue, 20);
    assert_int_equal(f->after->max_pictures, 7);
    assert_string_equal(f->after->log_level, "warn");
}

static void leaves_what_needs_one(void **state)
{
    struct fixture *f = *state;
    const char *wanted = "{\"setting\":\"threads\",\"from\":1,\"to\":2,\"holds\":\"restart\"}";
    write_file(f, "{\"max_queue\": 10, \"threads\": 2}");
    reload(f, wanted);
    reload(f, wanted); /* it still waits */
    assert_int_equal(f->n_applied, 0);
    write_file(f, "{\"max_queue\": 11, \"threads\": 2, \"listen\": \"127.0.0.1:1\"}");
    struct srv_text text = {0};
    assert_int_equal(srv_config_live_reload(f->live, &text, NULL), ENG_OK);
    assert_int_equal(f->after->threads, 1);
    assert_string_equal(f->after->listen, "127.0.0.1:8080");
    assert_int_equal(f->after->max_queue, 11);
    srv_text_fini(&text);
}

static void a_file_changes_but_is_not_turned_on_or_off(void **state)
{
    struct fixture *f = *state;
    write_file(f, "{\"max_queue\": 10, \"threads\": 1, \"tls_certificate_file\": \"a\", "
                  "\"tls_key_file\": \"k\"}");
    reload(
        f,
        "{\"setting\":\"tls_certificate_file\",\"from\":\"\",\"to\":\"a\",\"holds\":\"restart\"},"
        "{\"setting\":\"tls_key_file\",\"from\":\"\",\"to\":\"k\",\"holds\":\"restart\"}");
    assert_int_equal(f->n_applied, 0);
    f->argv[5] = "--tls-certificate-file"; /* this time it is on from the start */
    f->argv[6] = "a";
    struct srv_options on;
    struct srv_config_live *live = NULL;
    struct srv_text text = {0};
    assert_int_equal(srv_options_parse(7, f->argv, f->environment, &on, NULL), ENG_OK);
    on.argc = 5; /* the file's from now on */
    assert_int_equal(srv_config_live_create(&on, NULL, check, note, f, &live, NULL), ENG_OK);
    write_file(f, "{\"max_queue\": 10, \"threads\": 1, \"tls_certificate_file\": \"b\", "
                  "\"tls_key_file\": \"k\"}");
    assert_int_equal(srv_config_live_reload(live, &text, NULL), ENG_OK);
    assert_string_equal(text.bytes,
                        "{\"setting\":\"tls_certificate_file\",\"from\":\"a\",\"to\":\"b\","
                        "\"holds\":\"live\"}");
    assert_string_equal(f->after->tls_certificate_file, "b");
    srv_text_clear(&text);
    write_file(f, "{\"max_queue\": 10, \"threads\": 1}");
    assert_int_equal(srv_config_live_reload(live, &text, NULL), ENG_OK);
    assert_non_null(strstr(text.bytes, "\"from\":\"b\",\"to\":\"\",\"holds\":\"restart\""));
    assert_string_equal(f->after->tls_certificate_file, "b");
    srv_text_fini(&text);
    srv_config_live_destroy(live);
    srv_options_fini(&on);
}

static void a_bad_file_changes_nothing(void **state)
{
    struct fixture *f = *state;
    write_file(f, "{\"max_queue\": 20, \"max_qeue\": 1}");
    refuses(f, "there is no setting \"max_qeue\"");
    write_file(f, "{\"max_queue\": 20, \"max_batch\": 0}");
    refuses(f, "max_batch is 0");
    write_file(f, "{");
    refuses(f, "line 1");
    write_file(f, "{\"max_queue\": 20, \"max_body_bytes\": 1073741824}");
    refuses(f, "max_bodies_bytes");
    f->argv[4] = "13";
    write_file(f, "{}");
    refuses(f, "max_pictures is 13");
    unlink(f->path);
    refuses(f, f->path);
}

static void to_and_fro_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    const struct srv_config *second = NULL;
    for (int i = 0; i < 6; i++) {
        write_file(f, i % 2 ? "{\"max_queue\": 10, \"threads\": 1}"
                            : "{\"max_queue\": 30, \"threads\": 1}");
        assert_int_equal(srv_config_live_reload(f->live, NULL, NULL), ENG_OK);
        assert_int_equal(f->n_applied, i + 1);
        if (i == 0) second = f->after;
        assert_ptr_equal(f->after, i % 2 ? &f->options.config : second);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_what_needs_no_restart),
        TEST(leaves_what_needs_one),
        TEST(a_file_changes_but_is_not_turned_on_or_off),
        TEST(a_bad_file_changes_nothing),
        TEST(to_and_fro_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
