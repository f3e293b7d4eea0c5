#include "base/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void good_ones_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port, *path;
        bool is_loopback;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", "8080", "", true},
        {"127.9.9.9:1", "127.9.9.9", "1", "", true},
        {"0.0.0.0:0", "0.0.0.0", "0", "", false},
        {":65535", "", "65535", "", false},
        {"localhost:80", "localhost", "80", "", true},
        {"example.org:80", "example.org", "80", "", false},
        {"[::1]:8080", "::1", "8080", "", true},
        {"[::]:8080", "::", "8080", "", false},
        {"[2001:db8::1]:1", "2001:db8::1", "1", "", false},
        {"[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", "1", "", false},
        {"unix:/run/classifyd/admin.sock", "", "", "/run/classifyd/admin.sock", true},
        {"unix:/a:1", "", "", "/a:1", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_address address;
        struct eng_error err = {0};
        if (srv_address_parse(rows[i].text, &address, &err) != ENG_OK) fail_msg("%s", err.text);
        assert_string_equal(address.host, rows[i].host);
        assert_string_equal(address.port, rows[i].port);
        assert_string_equal(address.path, rows[i].path);
        assert_int_equal(srv_address_is_loopback(&address), rows[i].is_loopback);
    }
}

static void bad_ones_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "there is no port"},
        {"8080", "there is no port"},
        {"host:", "the port is no number"},
        {"host:65536", "the port is no number"},
        {"host:123456", "the port is no number"},
        {"host:-1", "the port is no number"},
        {"host:80 ", "the port is no number"},
        {"::1:8080", "an IPv6 address stands in brackets"},
        {"[::1:8080", "the bracket is not closed"},
        {"[:8080", "the bracket is not closed"},
        {"unix:", "is no Unix socket"},
        {"unix:x", "is no Unix socket"},
        {"unix:/x/", "is no Unix socket"},
        {"unix:/", "is no Unix socket"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_address address;
        struct eng_error err = {0};
        assert_int_equal(srv_address_parse(rows[i].text, &address, &err), ENG_ARGUMENT);
        if (!strstr(err.text, rows[i].part)) fail_msg("%s: %s", rows[i].text, err.text);
    }
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    struct srv_address address;
    char text[400] = "unix:/";
    memset(text + 6, 'x', SRV_UNIX_PATH_CHARS - 1);
    assert_int_equal(srv_address_parse(text, &address, NULL), ENG_OK);
    assert_int_equal(strlen(address.path), SRV_UNIX_PATH_CHARS);
    text[strlen(text)] = 'x';
    assert_int_equal(srv_address_parse(text, &address, NULL), ENG_ARGUMENT);
    memset(text, 'h', sizeof text - 1);
    memcpy(text + 255, ":1", 3);
    assert_int_equal(srv_address_parse(text, &address, NULL), ENG_OK);
    memcpy(text + 255, "h:1", 4);
    assert_int_equal(srv_address_parse(text, &address, NULL), ENG_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_taken_apart),
        cmocka_unit_test(bad_ones_are_named),
        cmocka_unit_test(lengths_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
