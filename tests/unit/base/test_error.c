/* Status names and error sentences: never longer than their buffer, the first one stays. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* An error between two guards, which nothing may touch. */
struct guarded {
    uint64_t before;
    struct eng_error err;
    uint64_t after;
};

static const uint64_t GUARD = 0x5aa55aa55aa55aa5U;

static struct guarded guarded_make(void)
{
    return (struct guarded){.before = GUARD, .after = GUARD};
}

static void assert_sound(const struct guarded *g)
{
    assert_true(g->before == GUARD && g->after == GUARD);
    assert_non_null(memchr(g->err.text, '\0', sizeof g->err.text));
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int s = ENG_OK; s <= ENG_CANCELLED; s++) {
        const char *name = eng_status_name((enum eng_status)s);
        assert_true(strlen(name) > 0 && strlen(eng_status_text((enum eng_status)s)) > 0);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int t = ENG_OK; t < s; t++)
            assert_string_not_equal(name, eng_status_name((enum eng_status)t));
    }
    assert_string_equal(eng_status_name(ENG_NOT_FOUND), "not_found");
    assert_string_equal(eng_status_text(ENG_NO_MEMORY), "out of memory");
    assert_string_equal(eng_status_name((enum eng_status)99), "unknown");
    assert_non_null(eng_status_text((enum eng_status) - 1));
}

static void the_first_sentence_wins(void **state)
{
    (void)state;
    struct eng_error err = {0};
    assert_int_equal(eng_fail(&err, ENG_FORMAT, "byte %d", 7), ENG_FORMAT);
    assert_int_equal(eng_fail(&err, ENG_IO, "later"), ENG_IO);
    assert_int_equal(eng_fail_memory(&err, "later"), ENG_NO_MEMORY);
    assert_int_equal(err.status, ENG_FORMAT);
    assert_string_equal(err.text, "byte 7");
    eng_error_context(&err, "file %s", "a.png");
    assert_string_equal(err.text, "file a.png: byte 7");
}

static void null_and_empty_errors_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(eng_fail(NULL, ENG_LIMIT, "x"), ENG_LIMIT);
    eng_error_context(NULL, "x");
    struct eng_error err = {0};
    eng_error_context(&err, "x");
    assert_int_equal(err.status, ENG_OK);
    assert_string_equal(err.text, "");
}

static void long_sentences_are_cut_and_say_so(void **state)
{
    (void)state;
    char words[2000];
    memset(words, 'w', sizeof words);
    for (size_t n = 470; n < 490; n++) {
        struct guarded g = guarded_make();
        eng_fail(&g.err, ENG_FORMAT, "%.*s", (int)n, words);
        assert_sound(&g);
        bool fits = n < sizeof g.err.text;
        assert_int_equal(strlen(g.err.text), fits ? n : sizeof g.err.text - 1);
        assert_string_equal(g.err.text + strlen(g.err.text) - 3, fits ? "www" : "...");
    }
}

static void context_never_overflows(void **state)
{
    (void)state;
    char words[2000];
    memset(words, 'w', sizeof words);
    for (size_t n = 0; n < 600; n += 13) {
        struct guarded g = guarded_make();
        eng_fail(&g.err, ENG_FORMAT, "cause");
        eng_error_context(&g.err, "%.*s", (int)n, words);
        assert_sound(&g);
        if (n < 470)
            assert_string_equal(g.err.text + n, ": cause");
        else if (n >= sizeof g.err.text)
            assert_string_equal(g.err.text + sizeof g.err.text - 4, "...");
    }
    struct guarded g = guarded_make();
    eng_fail(&g.err, ENG_FORMAT, "cause");
    for (int i = 0; i < 300; i++)
        eng_error_context(&g.err, "context %d", i);
    assert_sound(&g);
    assert_int_equal(strncmp(g.err.text, "context 299: context 298: ", 26), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(the_first_sentence_wins),
        cmocka_unit_test(null_and_empty_errors_are_left_alone),
        cmocka_unit_test(long_sentences_are_cut_and_say_so),
        cmocka_unit_test(context_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
