#include "base/config_table.h"
#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct srv_config *config = malloc(sizeof *config);
    *state = config;
    return !config || srv_config_init(config, NULL) != ENG_OK;
}

static int tear_down(void **state)
{
    srv_config_fini(*state);
    free(*state);
    return 0;
}

static void check_error(const struct eng_error *err, enum eng_status status, const char *part)
{
    assert_int_equal(err->status, status);
    if (!strstr(err->text, part)) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

static void defaults_are_within_their_range(void **state)
{
    struct srv_config *config = *state;
    for (size_t i = 0; i < srv_n_settings; i++) {
        const struct srv_setting *s = &srv_settings[i];
        enum eng_status status =
            s->kind == SRV_SETTING_INT
                ? srv_setting_set_number(config, s, s->default_number, "default", NULL)
                : srv_setting_set_text(config, s, s->default_text, "default", NULL);
        assert_int_equal(status, ENG_OK);
    }
    assert_int_equal(srv_config_check(config, NULL), ENG_OK);
}

static void bounds_of_every_number_hold(void **state)
{
    struct srv_config *config = *state;
    for (size_t i = 0; i < srv_n_settings; i++) {
        const struct srv_setting *s = &srv_settings[i];
        if (s->kind != SRV_SETTING_INT) continue;
        struct eng_error low = {0}, high = {0};
        assert_int_equal(srv_setting_set_number(config, s, s->min, "x", NULL), ENG_OK);
        assert_int_equal(srv_setting_set_number(config, s, s->max, "x", NULL), ENG_OK);
        srv_setting_set_number(config, s, s->min - 1, "x", &low);
        check_error(&low, ENG_ARGUMENT, s->key);
        srv_setting_set_number(config, s, s->max + 1, "x", &high);
        check_error(&high, ENG_ARGUMENT, "wanted");
        assert_int_equal(*srv_setting_number(config, s), s->max);
    }
}

static void bad_values_are_named(void **state)
{
    static const struct {
        const char *key, *value, *part;
    } rows[] = {
        {"max_batc", "3", "the nearest is \"max_batch\""},
        {"", "3", "there is no setting"},
        {"max_batch", "three", "max_batch is \"three\"; wanted a whole number"},
        {"max_batch", "", "wanted a whole number"},
        {"max_batch", " 3", "wanted a whole number"},
        {"max_batch", "3x", "wanted a whole number"},
        {"max_batch", "0", "max_batch is 0; wanted 1 to 1024 pictures"},
        {"max_batch", "99999999999999999999", "wanted a whole number"},
        {"log_level", "inf", "wanted one of debug|info|warn|error"},
        {"log_level", "debug|info", "wanted one of"},
        {"log_level", "", "wanted one of"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eng_error err = {0};
        srv_config_set(*state, rows[i].key, rows[i].value, "--set", &err);
        check_error(&err, ENG_ARGUMENT, rows[i].part);
        assert_memory_equal(err.text, "--set: ", 7);
    }
}

static enum eng_status read_json(void **state, const char *json, struct eng_error *err)
{
    return srv_config_read_json(*state, json, strlen(json), "file x.json", err);
}

static void json_sets_values(void **state)
{
    struct srv_config *config = *state;
    assert_int_equal(read_json(state, "{\"max_batch\": 7, \"models\": \"/m\"}", NULL), ENG_OK);
    assert_int_equal(config->max_batch, 7);
    assert_string_equal(config->models, "/m");
}

static void bad_json_is_named(void **state)
{
    static const struct {
        const char *json;
        enum eng_status status;
        const char *part;
    } rows[] = {
        {"", ENG_FORMAT, "file x.json: line 1"},
        {"{\n\"max_batch\": 7,}", ENG_FORMAT, "line 2"},
        {"[]", ENG_FORMAT, "wanted a JSON object"},
        {"{\"max_batch\": 1, \"max_batch\": 2}", ENG_FORMAT, "duplicate"},
        {"{\"max_batch\": \"7\"}", ENG_ARGUMENT, "wanted a whole number"},
        {"{\"max_batch\": 7.5}", ENG_ARGUMENT, "a fraction"},
        {"{\"models\": 7}", ENG_ARGUMENT, "wanted text"},
        {"{\"models\": null}", ENG_ARGUMENT, "null"},
        {"{\"access_log\": true}", ENG_ARGUMENT, "true or false"},
        {"{\"modles\": \"x\"}", ENG_ARGUMENT, "the nearest is \"models\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eng_error err = {0};
        assert_int_equal(read_json(state, rows[i].json, &err), rows[i].status);
        check_error(&err, rows[i].status, rows[i].part);
    }
}

static void environment_sets_what_has_our_prefix(void **state)
{
    struct srv_config *config = *state;
    char *good[] = {"PATH=/bin",
                    "CLASSIFYD_MAX_BATCH=5",
                    "CLASSIFYD_SERVICE_HOST=10.0.0.1",
                    "CLASSIFYD_PORT=tcp://10.0.0.1:80",
                    "CLASSIFYD_PORT_80_TCP_ADDR=10.0.0.1",
                    NULL};
    assert_int_equal(srv_config_read_environment(config, good, NULL), ENG_OK);
    assert_int_equal(config->max_batch, 5);
    char *bad[] = {"CLASSIFYD_MAX_BACH=5", NULL};
    struct eng_error err = {0};
    srv_config_read_environment(config, bad, &err);
    check_error(&err, ENG_ARGUMENT, "CLASSIFYD_MAX_BACH: there is no setting");
}

static void print_reads_back(void **state)
{
    struct srv_config *config = *state, again;
    char *printed = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&printed, &n);
    assert_non_null(out);
    srv_config_set(config, "models", "a \"b\"\n", "x", NULL);
    srv_config_set(config, "max_queue", "17", "x", NULL);
    assert_true(srv_config_print(config, out));
    fclose(out);
    assert_int_equal(srv_config_init(&again, NULL), ENG_OK);
    assert_int_equal(srv_config_read_json(&again, printed, n, "x", NULL), ENG_OK);
    assert_string_equal(again.models, "a \"b\"\n");
    assert_int_equal(again.max_queue, 17);
    srv_config_fini(&again);
    free(printed);
}

static void admin_beyond_loopback_needs_a_token(void **state)
{
    struct srv_config *config = *state;
    static const struct {
        const char *admin;
        bool is_open;
    } rows[] = {{"127.0.0.1:1", false},
                {"127.8.8.8:1", false},
                {"[::1]:1", false},
                {"localhost:1", false},
                {"", false},
                {"0.0.0.0:1", true},
                {":1", true},
                {"[::]:1", true},
                {"10.0.0.1:1", true},
                {"127.evil.example:1", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        srv_config_set(config, "admin", rows[i].admin, "x", NULL);
        srv_config_set(config, "admin_token_file", "", "x", NULL);
        enum eng_status status = srv_config_check(config, NULL);
        assert_int_equal(status, rows[i].is_open ? ENG_ARGUMENT : ENG_OK);
        srv_config_set(config, "admin_token_file", "token", "x", NULL);
        assert_int_equal(srv_config_check(config, NULL), ENG_OK);
    }
}

static void one_body_fits_into_all_bodies(void **state)
{
    struct eng_error err = {0};
    srv_config_set(*state, "max_body_bytes", "1048577", "x", NULL);
    srv_config_set(*state, "max_bodies_bytes", "1048577", "x", NULL);
    assert_int_equal(srv_config_check(*state, NULL), ENG_OK);
    srv_config_set(*state, "max_bodies_bytes", "1048576", "x", NULL);
    srv_config_check(*state, &err);
    check_error(&err, ENG_ARGUMENT, "max_body_bytes is 1048577; wanted at most max_bodies_bytes");
}

static void addresses_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port; /* host NULL: an error */
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", "8080"},
        {"[::1]:0", "::1", "0"},
        {":80", "", "80"},
        {"a.b:65535", "a.b", "65535"},
        {"8080", NULL, NULL},
        {"a:", NULL, NULL},
        {"a:65536", NULL, NULL},
        {"a:-1", NULL, NULL},
        {"a:000000", NULL, NULL},
        {"::1:80", NULL, NULL},
        {"[::1:80", NULL, NULL},
        {"", NULL, NULL},
        {"a:8o", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_address address;
        struct eng_error err = {0};
        enum eng_status status = srv_address_parse(rows[i].text, &address, &err);
        assert_int_equal(status, rows[i].host ? ENG_OK : ENG_ARGUMENT);
        if (!rows[i].host) {
            check_error(&err, ENG_ARGUMENT, "wanted HOST:PORT");
            continue;
        }
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_within_their_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_of_every_number_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_values_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_sets_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_json_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(environment_sets_what_has_our_prefix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(print_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(admin_beyond_loopback_needs_a_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_body_fits_into_all_bodies, set_up, tear_down),
        cmocka_unit_test(addresses_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
