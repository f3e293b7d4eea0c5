#include "base/keyring.h"
#include "base/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* SHA-256 of "abc", FIPS 180-2, appendix B.1, and of "secret", by sha256sum. */
#define ABC    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SECRET "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

static struct srv_keys *parse(const char *text, enum srv_keys_form form)
{
    struct srv_keys *keys = NULL;
    struct eng_error err = {0};
    if (srv_keys_parse(text, strlen(text), form, "keys", &keys, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return keys;
}

static void check_owner(const struct srv_keys *keys, const char *secret, const char *owner)
{
    char id[SRV_KEY_ID_CHARS + 1] = "nobody";
    assert_int_equal(srv_keys_match(keys, secret, id), owner != NULL);
    assert_string_equal(id, owner ? owner : "nobody");
}

static void lines_are_keys(void **state)
{
    (void)state;
    struct srv_keys *keys =
        parse("# who asks\n\n  alice:" ABC " \r\nbob.2:" SECRET, SRV_KEYS_LINES);
    check_owner(keys, "abc", "alice");
    check_owner(keys, "secret", "bob.2");
    check_owner(keys, "", NULL);
    check_owner(keys, "abcd", NULL);
    check_owner(keys, ABC, NULL); /* the digest is no key */
    srv_keys_destroy(keys);
}

static void digits_may_be_capitals(void **state)
{
    (void)state;
    struct srv_keys *keys =
        parse("a:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", SRV_KEYS_LINES);
    check_owner(keys, "abc", "a");
    srv_keys_destroy(keys);
}

static void one_id_may_have_two_keys(void **state)
{
    (void)state;
    struct srv_keys *keys = parse("a:" ABC "\na:" SECRET "\n", SRV_KEYS_LINES);
    check_owner(keys, "abc", "a");
    check_owner(keys, "secret", "a");
    srv_keys_destroy(keys);
}

static void every_digit_of_a_digest_counts(void **state)
{
    (void)state;
    char line[] = "a:" ABC;
    for (char *digit = line + 2; *digit; digit++) {
        char right = *digit;
        *digit = right == '0' ? '1' : '0';
        struct srv_keys *keys = parse(line, SRV_KEYS_LINES);
        check_owner(keys, "abc", NULL);
        srv_keys_destroy(keys);
        *digit = right;
    }
}

static void a_token_is_plain_or_hashed(void **state)
{
    (void)state;
    struct srv_keys *keys = parse(" secret\n\n", SRV_KEYS_TOKEN);
    check_owner(keys, "secret", "admin");
    check_owner(keys, " secret", NULL);
    srv_keys_destroy(keys);
    keys = parse("# admins\ncarol:" SECRET "\n", SRV_KEYS_TOKEN);
    check_owner(keys, "secret", "carol");
    check_owner(keys, "carol:" SECRET, NULL);
    srv_keys_destroy(keys);
    keys = parse("#secret", SRV_KEYS_TOKEN); /* a plain token may begin with any character */
    check_owner(keys, "#secret", "admin");
    srv_keys_destroy(keys);
    keys = parse("carol:123", SRV_KEYS_TOKEN);
    check_owner(keys, "carol:123", "admin");
    srv_keys_destroy(keys);
}

static void check_fails(const char *text, size_t n_bytes, enum srv_keys_form form,
                        enum eng_status wanted, const char *part)
{
    struct srv_keys *keys = NULL;
    struct eng_error err = {0};
    assert_int_equal(srv_keys_parse(text, n_bytes, form, "keys", &keys, &err), wanted);
    assert_null(keys);
    if (!strstr(err.text, part)) fail_msg("\"%s\" without \"%s\"", err.text, part);
}

static void bad_lines_are_named_but_not_shown(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a:" ABC "\nplain-secret\n",
        "a:" ABC "\n:" SECRET,
        "a:" ABC "\na b:" SECRET,
        "a:" ABC "\nb:" SECRET "0",
        "a:" ABC "\nb:123",
        "a:" ABC "\nb:" SECRET " x",
        "\na:x" SECRET,
        "a:" ABC "\n\xC3\xBC:" SECRET,
        "a:" ABC "\nb:zbb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct srv_keys *keys = NULL;
        struct eng_error err = {0};
        assert_int_equal(
            srv_keys_parse(bad[i], strlen(bad[i]), SRV_KEYS_LINES, "keys", &keys, &err),
            ENG_FORMAT);
        assert_non_null(strstr(err.text, "keys: line 2"));
        assert_null(strstr(err.text, "plain-secret"));
    }
    check_fails("", 0, SRV_KEYS_LINES, ENG_FORMAT, "holds no key");
    check_fails("# none\n", 7, SRV_KEYS_LINES, ENG_FORMAT, "holds no key");
    check_fails(" \n", 2, SRV_KEYS_TOKEN, ENG_FORMAT, "holds no token");
    check_fails("a\0b", 3, SRV_KEYS_TOKEN, ENG_FORMAT, "zero byte");
    /* A key mistyped behind a comment must not make a token of the comment. */
    static const char *const several[] = {"secret and more", "# admins\ncarol:123\n",
                                          "# none yet\n", "one\ntwo\n"};
    for (size_t i = 0; i < sizeof several / sizeof several[0]; i++)
        check_fails(several[i], strlen(several[i]), SRV_KEYS_TOKEN, ENG_FORMAT, "one plain token");
    check_fails("carol:" SECRET "0", strlen("carol:" SECRET "0"), SRV_KEYS_TOKEN, ENG_FORMAT,
                "of 71 characters, is no key");
    static const char twice[] = "a:" ABC "\nb:" ABC;
    check_fails(twice, strlen(twice), SRV_KEYS_LINES, ENG_FORMAT, "digest of \"a\" again");
    /* Once the first line is a key, all are. */
    static const char mixed[] = "a:" ABC "\nplain";
    check_fails(mixed, strlen(mixed), SRV_KEYS_TOKEN, ENG_FORMAT, "line 2");
}

static void ids_have_a_length(void **state)
{
    (void)state;
    char text[SRV_KEY_ID_CHARS + SRV_KEY_HEX_CHARS + 3];
    memset(text, 'i', SRV_KEY_ID_CHARS + 1);
    strcpy(text + SRV_KEY_ID_CHARS, ":" ABC);
    srv_keys_destroy(parse(text, SRV_KEYS_LINES));
    text[SRV_KEY_ID_CHARS] = 'i';
    strcpy(text + SRV_KEY_ID_CHARS + 1, ":" ABC);
    check_fails(text, strlen(text), SRV_KEYS_LINES, ENG_FORMAT, "line 1");
}

static void there_is_an_end_to_keys(void **state)
{
    (void)state;
    char *text = malloc((SRV_MAX_KEYS + 1) * 80), *at = text;
    assert_non_null(text);
    for (int i = 0; i <= SRV_MAX_KEYS; i++)
        at += sprintf(at, "k%d:%064x\n", i, (unsigned)i);
    check_fails(text, (size_t)(at - text), SRV_KEYS_LINES, ENG_LIMIT, "at most 4096");
    *strrchr(text, 'k') = '\0';
    srv_keys_destroy(parse(text, SRV_KEYS_LINES));
    free(text);
}

static void hash_is_what_a_file_holds(void **state)
{
    (void)state;
    char hex[SRV_KEY_HEX_CHARS + 1];
    srv_key_hash("abc", 3, hex);
    assert_string_equal(hex, ABC);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static enum eng_status load(struct srv_keyring *ring, const char *path, struct eng_error *err)
{
    void *keys = NULL;
    enum eng_status status = srv_keyring_file.prepare(ring, path, "", &keys, err);
    if (status == ENG_OK) srv_keyring_file.take(ring, keys);
    return status;
}

static void a_bad_file_leaves_the_keys(void **state)
{
    (void)state;
    char path[] = "/tmp/classifyd_keys_XXXXXX", id[SRV_KEY_ID_CHARS + 1];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "a:" ABC "\n");
    struct srv_keyring *ring = srv_keyring_create("api_keys_file", SRV_KEYS_LINES);
    struct eng_error err = {0};
    assert_non_null(ring);
    assert_false(srv_keyring_asks(ring));
    assert_int_equal(load(ring, path, &err), ENG_OK);
    assert_true(srv_keyring_asks(ring));
    assert_true(srv_keyring_match(ring, "abc", id));
    write_file(path, "rubbish\n");
    assert_int_equal(load(ring, path, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, path));
    assert_true(srv_keyring_match(ring, "abc", id));
    write_file(path, "b:" SECRET "\n");
    assert_int_equal(load(ring, path, NULL), ENG_OK);
    assert_false(srv_keyring_match(ring, "abc", id));
    assert_true(srv_keyring_match(ring, "secret", id));
    unlink(path);
    assert_int_equal(load(ring, path, NULL), ENG_IO);
    assert_true(srv_keyring_match(ring, "secret", id));
    srv_keyring_file.take(ring, NULL);
    assert_false(srv_keyring_asks(ring));
    assert_true(srv_keyring_match(ring, "who was asked before", id));
    srv_keyring_destroy(ring);
    assert_false(srv_keyring_asks(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_keys),
        cmocka_unit_test(digits_may_be_capitals),
        cmocka_unit_test(one_id_may_have_two_keys),
        cmocka_unit_test(every_digit_of_a_digest_counts),
        cmocka_unit_test(a_token_is_plain_or_hashed),
        cmocka_unit_test(bad_lines_are_named_but_not_shown),
        cmocka_unit_test(ids_have_a_length),
        cmocka_unit_test(there_is_an_end_to_keys),
        cmocka_unit_test(hash_is_what_a_file_holds),
        cmocka_unit_test(a_bad_file_leaves_the_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
