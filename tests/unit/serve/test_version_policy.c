/* Which versions a policy wants. */
#include "serve/version_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "1001": which of four versions, 2, 3, 5 and 8, are wanted. */
static void expect(const struct srv_version_policy *policy,
                   const struct srv_version_context *context, const char *wanted)
{
    static const uint64_t versions[] = {2, 3, 5, 8};
    char found[5] = "";
    for (size_t i = 0; i < 4; i++)
        found[i] = srv_version_policy_wants(policy, context, versions[i], 3 - i) ? '1' : '0';
    assert_string_equal(found, wanted);
}

static void the_latest(void **state)
{
    (void)state;
    struct srv_version_policy policy = {.kind = SRV_VERSIONS_LATEST, .n_latest = 1};
    const struct srv_version_context context = {.default_latest = 3};
    expect(&policy, &context, "0001");
    policy.n_latest = 2;
    expect(&policy, &context, "0011");
    policy.n_latest = 9;
    expect(&policy, &context, "1111");
}

static void all_and_the_daemons_default(void **state)
{
    (void)state;
    const struct srv_version_policy all = {.kind = SRV_VERSIONS_ALL};
    const struct srv_version_policy unsaid = {.kind = SRV_VERSIONS_DEFAULT};
    const struct srv_version_context three = {.default_latest = 3}, none = {.default_latest = 0};
    expect(&all, &three, "1111");
    expect(&unsaid, &three, "0111");
    expect(&unsaid, &none, "1111");
}

static void those_that_are_listed(void **state)
{
    (void)state;
    const struct srv_version_policy policy = {
        .kind = SRV_VERSIONS_SPECIFIC, .versions = {5, 2, 7}, .n_versions = 3};
    const struct srv_version_context context = {.default_latest = 1};
    expect(&policy, &context, "1010");
}

static void what_is_labelled_stays(void **state)
{
    (void)state;
    static const uint64_t labelled[] = {3, 9};
    const struct srv_version_context context = {.labelled = labelled, .n_labelled = 2};
    const struct srv_version_policy latest = {.kind = SRV_VERSIONS_LATEST, .n_latest = 1};
    const struct srv_version_policy specific = {
        .kind = SRV_VERSIONS_SPECIFIC, .versions = {2}, .n_versions = 1};
    expect(&latest, &context, "0101");
    expect(&specific, &context, "1100");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest),
        cmocka_unit_test(all_and_the_daemons_default),
        cmocka_unit_test(those_that_are_listed),
        cmocka_unit_test(what_is_labelled_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
