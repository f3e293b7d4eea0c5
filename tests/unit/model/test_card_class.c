/* Classes by number and by label. */
#include "engine/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const labels[] = {
    "tench, Tinca tinca",
    "goldfish, Carassius auratus",
    "crane",
    "9",
    "",
    "crane",
    "crane, lifter",
    "eel,  tench",
    "caf\xC3\xA9",
};
static const struct eng_card card = {.n_classes = 9, .labels = labels};

static void a_class_has_a_number_and_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t wanted;
    } rows[] = {{"0", 0},
                {"8", 8},
                {"007", 7},
                {"9", 3}, /* no number of a class, so a label */
                {"tench, Tinca tinca", 0},
                {"Tinca tinca", 0},
                {"goldfish", 1},
                {"lifter", 6},
                {"", 4},
                {"eel", 7},
                {"caf\xC3\xA9", 8}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eng_error err = {0};
        size_t found = SIZE_MAX;
        if (eng_card_find_class(&card, rows[i].text, &found, &err) != ENG_OK)
            fail_msg("%s", err.text);
        assert_int_equal(found, rows[i].wanted);
    }
}

static void what_is_no_class_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {{"10", "a number from 0 to 8 or a label"},
                {"99999999999999999999", "0 to 8"},
                {"-1", "\"-1\""},
                {"1.0", "0 to 8"},
                {" 1", "0 to 8"},
                {"goldfisch", "0 to 8 or a label"},
                {"caf\xC3", "did you mean \"caf\xC3\xA9\"?"},
                {"Goldfish", "\"Goldfish\""},
                {"crane", "classes 2 and 5"},
                {"tench", "classes 0 and 7"},
                {"tench,", "\"tench,\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eng_error err = {0};
        size_t found = SIZE_MAX;
        assert_int_equal(eng_card_find_class(&card, rows[i].text, &found, &err), ENG_ARGUMENT);
        assert_int_equal(found, SIZE_MAX);
        if (!strstr(err.text, rows[i].part))
            fail_msg("\"%s\" does not say \"%s\"", err.text, rows[i].part);
    }
    struct eng_error err = {0};
    size_t found;
    assert_int_equal(eng_card_find_class(&(struct eng_card){0}, "0", &found, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "no classes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_has_a_number_and_names),
        cmocka_unit_test(what_is_no_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
