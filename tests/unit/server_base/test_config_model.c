/* The daemon's keys of a model's config.json. */
#include "base/config_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct srv_model_config parse(const char *text)
{
    struct srv_model_config config;
    struct eng_error err = {0};
    if (srv_model_config_parse(text, strlen(text), "config.json", &config, &err) != ENG_OK)
        fail_msg("%s: %s", text, err.text);
    return config;
}

static void refuses(const char *text, const char *sentence)
{
    struct srv_model_config config = {.n_labels = 77};
    struct eng_error err = {0};
    assert_int_not_equal(srv_model_config_parse(text, strlen(text), "config.json", &config, &err),
                         ENG_OK);
    assert_string_equal(err.text, sentence);
    assert_int_equal(config.n_labels, 77); /* untouched */
}

static void reads_labels(void **state)
{
    (void)state;
    struct srv_model_config config =
        parse("{\"version_labels\": {\"stable\": 2, \"canary\": \"30\"}, \"top\": 5}");
    assert_int_equal(config.n_labels, 2);
    assert_string_equal(config.labels[0].name, "stable");
    assert_int_equal(config.labels[0].version, 2);
    assert_int_equal(config.labels[1].version, 30);
    assert_int_equal(config.policy.kind, SRV_VERSIONS_DEFAULT);
    assert_int_equal(parse("{}").n_labels, 0);
}

static void reads_policies(void **state)
{
    (void)state;
    struct srv_version_policy policy =
        parse("{\"version_policy\": {\"latest\": {\"n_versions\": 2}}}").policy;
    assert_int_equal(policy.kind, SRV_VERSIONS_LATEST);
    assert_int_equal(policy.n_latest, 2);
    assert_int_equal(parse("{\"version_policy\": {\"all\": {}}}").policy.kind, SRV_VERSIONS_ALL);
    policy = parse("{\"version_policy\": {\"specific\": {\"versions\": [1, \"3\"]}}}").policy;
    assert_int_equal(policy.kind, SRV_VERSIONS_SPECIFIC);
    assert_int_equal(policy.n_versions, 2);
    assert_int_equal(policy.versions[1], 3);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    refuses("[]", "config.json: not a JSON object");
    refuses("{\"version_labels\": 1}",
            "config.json: version_labels is 1; wanted an object, {\"stable\": 2}");
    refuses("{\"version_labels\": {\"a\": -1}}",
            "config.json: a is -1; wanted a version, a whole number from 1");
    refuses("{\"version_labels\": {\"a\": \"01\"}}",
            "config.json: a is \"01\"; wanted a version, a whole number from 1");
    refuses("{\"version_labels\": {\"3\": 1}}",
            "config.json: version_labels has the label \"3\"; wanted 1 to 63 of A-Z a-z 0-9 _ . -, "
            "and not a number");
    refuses("{\"version_policy\": {}}",
            "config.json: version_policy is {}; wanted an object of one key: latest, all or "
            "specific");
    refuses("{\"version_policy\": {\"latest\": {\"n_versions\": 0}}}",
            "config.json: version_policy.latest is {\"n_versions\":0}; wanted {\"n_versions\": 1} "
            "or more");
    refuses("{\"version_policy\": {\"all\": {\"x\": 1}}}",
            "config.json: version_policy.all is {\"x\":1}; wanted {}");
    refuses("{\"version_policy\": {\"specific\": {\"versions\": []}}}",
            "config.json: version_policy.specific is {\"versions\":[]}; wanted {\"versions\": [1, "
            "3]}: 1 to 256 versions");
}

static void bounds_lists(void **state)
{
    (void)state;
    char *text = malloc(1 << 16);
    assert_non_null(text);
    struct srv_model_config config;
    int n = sprintf(text, "{\"version_labels\": {");
    for (int i = 0; i <= SRV_MAX_VERSION_LABELS; i++)
        n += sprintf(text + n, "%s\"l%d\": 1", i ? "," : "", i);
    strcpy(text + n, "}}");
    assert_int_equal(srv_model_config_parse(text, strlen(text), "x", &config, NULL), ENG_LIMIT);
    n = sprintf(text, "{\"version_policy\": {\"specific\": {\"versions\": [");
    for (int i = 0; i <= SRV_MAX_LISTED_VERSIONS; i++)
        n += sprintf(text + n, "%s%d", i ? "," : "", i + 1);
    strcpy(text + n, "]}}}");
    assert_int_equal(srv_model_config_parse(text, strlen(text), "x", &config, NULL), ENG_FORMAT);
    free(text);
}

static void tells_names(void **state)
{
    (void)state;
    char long_name[SRV_MODEL_CHARS + 2];
    memset(long_name, 'a', sizeof long_name);
    long_name[SRV_MODEL_CHARS + 1] = '\0';
    assert_true(srv_model_is_name("mnist-2.1_x"));
    assert_false(srv_model_is_name(".hidden"));
    assert_false(srv_model_is_name("a/b"));
    assert_false(srv_model_is_name(""));
    assert_false(srv_model_is_name(long_name));
    assert_true(srv_model_is_name(long_name + 1));
    assert_true(srv_label_is_name("v2"));
    assert_false(srv_label_is_name("2"));
    assert_int_equal(srv_version_number("123456789012345678"), 123456789012345678);
    assert_int_equal(srv_version_number("1234567890123456789"), 0);
    assert_int_equal(srv_version_number("0"), 0);
    assert_int_equal(srv_version_number("1x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_labels),       cmocka_unit_test(reads_policies),
        cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(bounds_lists),
        cmocka_unit_test(tells_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
