#include "base/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c" /* the recommendation's own example */
#define PARENT   "b7ad6b7169203331"

static void a_trace_goes_on(void **state)
{
    (void)state;
    struct srv_trace trace;
    char header[SRV_TRACEPARENT_CHARS + 1];
    assert_true(srv_trace_continue("00-" TRACE_ID "-" PARENT "-01", 0xABC, &trace));
    assert_string_equal(trace.trace_id, TRACE_ID);
    assert_string_equal(trace.parent_id, PARENT);
    assert_string_equal(trace.span_id, "0000000000000abc");
    srv_trace_header(&trace, header);
    assert_string_equal(header, "00-" TRACE_ID "-0000000000000abc-01");
    assert_true(srv_trace_continue("00-" TRACE_ID "-" PARENT "-fe", 0, &trace));
    srv_trace_header(&trace, header);
    assert_string_equal(header, "00-" TRACE_ID "-0000000000000001-00");
}

static void later_versions_may_say_more(void **state)
{
    (void)state;
    struct srv_trace trace;
    assert_true(srv_trace_continue("cc-" TRACE_ID "-" PARENT "-01", 1, &trace));
    assert_true(srv_trace_continue("cc-" TRACE_ID "-" PARENT "-01-what", 1, &trace));
    assert_string_equal(trace.trace_id, TRACE_ID);
}

static void what_is_malformed_is_no_trace(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE_ID "-" PARENT,
        "00-" TRACE_ID "-" PARENT "-0",
        "00-" TRACE_ID "-" PARENT "-0x",
        "00-" TRACE_ID "-" PARENT "-011",
        "00-" TRACE_ID "-" PARENT "-01-what",
        "cc-" TRACE_ID "-" PARENT "-01what",
        "ff-" TRACE_ID "-" PARENT "-01",
        "0-" TRACE_ID "-" PARENT "-001",
        "00_" TRACE_ID "-" PARENT "-01",
        "00-" TRACE_ID "_" PARENT "-01",
        "00-" TRACE_ID "-" PARENT "_01",
        "0G-" TRACE_ID "-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE_ID "-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" TRACE_ID "-B7AD6B7169203331-01",
        " 00-" TRACE_ID "-" PARENT "-01",
        "00-" TRACE_ID "-" PARENT "-01 ",
    };
    struct srv_trace trace = {.flags = 7};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (srv_trace_continue(bad[i], 1, &trace)) fail_msg("taken: %s", bad[i]);
    assert_int_equal(trace.flags, 7);
}

static void a_trace_begins(void **state)
{
    (void)state;
    struct srv_trace trace, again;
    char header[SRV_TRACEPARENT_CHARS + 1];
    srv_trace_begin((const uint64_t[3]){0x0123456789ABCDEF, 2, 3}, &trace);
    srv_trace_header(&trace, header);
    assert_string_equal(header, "00-0123456789abcdef0000000000000002-0000000000000003-01");
    assert_string_equal(trace.parent_id, "");
    srv_trace_begin((const uint64_t[3]){0}, &trace); /* zeros would be no ids */
    srv_trace_header(&trace, header);
    assert_true(srv_trace_continue(header, 1, &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_goes_on),
        cmocka_unit_test(later_versions_may_say_more),
        cmocka_unit_test(what_is_malformed_is_no_trace),
        cmocka_unit_test(a_trace_begins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
