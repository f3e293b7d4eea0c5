/* Field tables: defaults, checked setters, the nearest name; edit distance. */
#include "base/fields.h"
#include "base/spelling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct recipe {
    int64_t epochs;
    double learning_rate;
    bool nesterov;
    int optimiser;
    struct eng_ints pads;
    const char *name;
    const struct eng_tensor *value;
};

static const char *const optimisers[] = {"sgd", "adam", NULL};

static const struct eng_field fields[] = {
    ENG_F_INT(struct recipe, epochs, 10, 1, 1000, "passes over the data"),
    ENG_F_FLOAT(struct recipe, learning_rate, 0.5, 0, 10, "step size"),
    ENG_F_BOOL(struct recipe, nesterov, 1, "look ahead"),
    ENG_F_CHOICE(struct recipe, optimiser, 1, optimisers, "rule"),
    ENG_F_INTS(struct recipe, pads, 0, 100, "padding"),
    ENG_F_STRING(struct recipe, name, "name"),
    ENG_F_TENSOR(struct recipe, value, "value"),
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const struct eng_field *field(const char *name)
{
    return eng_fields_find(fields, N_FIELDS, name);
}

static void defaults_fill_every_member(void **state)
{
    (void)state;
    struct recipe r;
    memset(&r, 0xff, sizeof r);
    eng_fields_defaults(fields, N_FIELDS, &r);
    assert_int_equal(r.epochs, 10);
    assert_true(r.learning_rate == 0.5);
    assert_true(r.nesterov);
    assert_int_equal(r.optimiser, 1);
    assert_int_equal(r.pads.n, 0);
    assert_null(r.name);
    assert_null(r.value);
}

static void setters_set(void **state)
{
    (void)state;
    struct recipe r;
    struct eng_error err = {0};
    eng_fields_defaults(fields, N_FIELDS, &r);
    assert_int_equal(eng_field_set_int(field("epochs"), &r, 1000, &err), ENG_OK);
    assert_int_equal(r.epochs, 1000);
    assert_int_equal(eng_field_set_number(field("epochs"), &r, 3.0, &err), ENG_OK);
    assert_int_equal(r.epochs, 3);
    assert_int_equal(eng_field_set_int(field("learning_rate"), &r, 2, &err), ENG_OK);
    assert_true(r.learning_rate == 2.0);
    assert_int_equal(eng_field_set_number(field("learning_rate"), &r, 0.25, &err), ENG_OK);
    assert_true(r.learning_rate == 0.25);
    assert_int_equal(eng_field_set_int(field("nesterov"), &r, 0, &err), ENG_OK);
    assert_false(r.nesterov);
    assert_int_equal(eng_field_set_text(field("optimiser"), &r, "sgd", &err), ENG_OK);
    assert_int_equal(r.optimiser, 0);
    assert_int_equal(eng_field_set_text(field("name"), &r, "mnist", &err), ENG_OK);
    assert_string_equal(r.name, "mnist");
    const int64_t pads[] = {1, 2, 3, 4};
    assert_int_equal(eng_field_set_ints(field("pads"), &r, pads, 4, &err), ENG_OK);
    assert_int_equal(r.pads.n, 4);
    assert_int_equal(r.pads.v[3], 4);
    assert_int_equal(eng_field_set_ints(field("pads"), &r, NULL, 0, &err), ENG_OK);
    assert_int_equal(r.pads.n, 0);
    assert_int_equal(err.status, ENG_OK);
}

/* Fails with ARGUMENT, names what is given, and changes nothing. */
#define ASSERT_REFUSED(call, ...)                                                                 \
    do {                                                                                          \
        struct recipe r, before;                                                                  \
        struct eng_error err = {0};                                                               \
        memset(&r, 0, sizeof r);                                                                  \
        eng_fields_defaults(fields, N_FIELDS, &r);                                                \
        before = r;                                                                               \
        assert_int_equal(call, ENG_ARGUMENT);                                                     \
        assert_int_equal(err.status, ENG_ARGUMENT);                                               \
        assert_memory_equal(&r, &before, sizeof r);                                               \
        const char *const words[] = {__VA_ARGS__};                                                \
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {                             \
            if (!strstr(err.text, words[w])) fail_msg("\"%s\" lacks \"%s\"", err.text, words[w]); \
        }                                                                                         \
    } while (0)

static void wrong_values_are_refused(void **state)
{
    (void)state;
    ASSERT_REFUSED(eng_field_set_int(field("epochs"), &r, 0, &err), "epochs is 0", "1 to 1000");
    ASSERT_REFUSED(eng_field_set_int(field("epochs"), &r, INT64_MIN, &err), "epochs");
    ASSERT_REFUSED(eng_field_set_number(field("epochs"), &r, 2.5, &err), "2.5", "an integer");
    ASSERT_REFUSED(eng_field_set_number(field("epochs"), &r, NAN, &err), "nan");
    ASSERT_REFUSED(eng_field_set_number(field("epochs"), &r, INFINITY, &err), "inf");
    ASSERT_REFUSED(eng_field_set_number(field("epochs"), &r, 1e300, &err), "1 to 1000");
    ASSERT_REFUSED(eng_field_set_number(field("learning_rate"), &r, NAN, &err), "nan", "0 to 10");
    ASSERT_REFUSED(eng_field_set_number(field("learning_rate"), &r, -0.1, &err), "-0.1");
    ASSERT_REFUSED(eng_field_set_int(field("nesterov"), &r, 2, &err), "nesterov is 2", "0 to 1");
    ASSERT_REFUSED(eng_field_set_number(field("nesterov"), &r, 0.5, &err), "0.5", "0 or 1");
    ASSERT_REFUSED(eng_field_set_text(field("optimiser"), &r, "adamw", &err), "optimiser",
                   "'adamw'", "sgd, adam");
    const int64_t pads[ENG_MAX_INTS + 1] = {1, 101};
    ASSERT_REFUSED(eng_field_set_ints(field("pads"), &r, pads, 2, &err), "pads[1] is 101",
                   "0 to 100");
    ASSERT_REFUSED(eng_field_set_ints(field("pads"), &r, pads, ENG_MAX_INTS + 1, &err),
                   "33 integers", "at most 32");
}

static void wrong_types_are_refused(void **state)
{
    (void)state;
    const int64_t one = 1;
    ASSERT_REFUSED(eng_field_set_text(field("epochs"), &r, "3", &err), "epochs is a text",
                   "an integer");
    ASSERT_REFUSED(eng_field_set_int(field("optimiser"), &r, 1, &err), "one of its names");
    ASSERT_REFUSED(eng_field_set_int(field("pads"), &r, 1, &err), "a list of integers");
    ASSERT_REFUSED(eng_field_set_number(field("name"), &r, 1, &err), "a text");
    ASSERT_REFUSED(eng_field_set_ints(field("epochs"), &r, &one, 1, &err), "a list");
    ASSERT_REFUSED(eng_field_set_int(field("value"), &r, 1, &err), "a tensor");
    ASSERT_REFUSED(eng_field_set_text(field("value"), &r, "x", &err), "a tensor");
}

static void an_int_field_without_bounds_takes_what_fits(void **state)
{
    (void)state;
    static const struct eng_field wide =
        ENG_F_INT(struct recipe, epochs, 0, -INFINITY, INFINITY, "any");
    struct recipe r = {0};
    assert_int_equal(eng_field_set_int(&wide, &r, INT64_MAX, NULL), ENG_OK);
    assert_true(r.epochs == INT64_MAX);
    assert_int_equal(eng_field_set_number(&wide, &r, -0x1p63, NULL), ENG_OK);
    assert_true(r.epochs == INT64_MIN);
    assert_int_equal(eng_field_set_number(&wide, &r, 0x1p63, NULL), ENG_ARGUMENT);
    assert_int_equal(eng_field_set_number(&wide, &r, INFINITY, NULL), ENG_ARGUMENT);
}

static void a_long_value_leaves_room_for_the_choices(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ASSERT_REFUSED(eng_field_set_text(field("optimiser"), &r, text, &err), "sgd, adam");
}

static void names_are_found_and_nearest_ones_offered(void **state)
{
    (void)state;
    assert_null(field("epoch"));
    assert_null(field(""));
    assert_ptr_equal(field("epochs"), &fields[0]);
    static const char *const rows[][2] = {
        {"epoch", "epochs"},
        {"lerning_rate", "learning_rate"},
        {"optimizer", "optimiser"},
        {"pad", "pads"},
        {"nestrov", "nesterov"},
        {"zzzzzz", NULL},
        {"", NULL},
        {"learning", NULL},
        {"Name", "name"},
    };
    static const char *const letters[] = {"a", "b", NULL};
    assert_null(eng_text_nearest("y", letters));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *nearest = eng_fields_nearest(fields, N_FIELDS, rows[i][0]);
        if (rows[i][1])
            assert_string_equal(nearest, rows[i][1]);
        else
            assert_null(nearest);
    }
}

static void distance_is_levenshteins(void **state)
{
    (void)state;
    assert_int_equal(eng_text_distance("", ""), 0);
    assert_int_equal(eng_text_distance("", "abc"), 3);
    assert_int_equal(eng_text_distance("abc", ""), 3);
    assert_int_equal(eng_text_distance("kitten", "sitting"), 3);
    assert_int_equal(eng_text_distance("flaw", "lawn"), 2);
    assert_int_equal(eng_text_distance("same", "same"), 0);
    char a[65], b[64];
    memset(a, 'a', sizeof a);
    memset(b, 'b', sizeof b);
    a[64] = b[63] = '\0';
    assert_int_equal(eng_text_distance(b, "x"), 63);
    assert_true(eng_text_distance(a, "x") == SIZE_MAX);
    assert_true(eng_text_distance("x", a) == SIZE_MAX);
    a[63] = '\0';
    assert_int_equal(eng_text_distance(a, b), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_fill_every_member),
        cmocka_unit_test(setters_set),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(an_int_field_without_bounds_takes_what_fits),
        cmocka_unit_test(a_long_value_leaves_room_for_the_choices),
        cmocka_unit_test(names_are_found_and_nearest_ones_offered),
        cmocka_unit_test(distance_is_levenshteins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
