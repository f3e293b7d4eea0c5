/* What a run leaves beside its model: the words and numbers, for odd labels and odd runs too. */
#include "card_files.h"
#include "made_up_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tool_model_file file = {123456, "0123456789abcdef0123", 2.5e6, false};

static char *text_of(const struct eng_train_report *report)
{
    char *text = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&text, &n_bytes);
    assert_non_null(out);
    assert_int_equal(tool_card_text(report, &file, out, NULL), ENG_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("wanted '%s' in:\n%s", part, text);
}

static void the_text_says_all(void **state)
{
    (void)state;
    struct made_up_report made_up;
    char *text = text_of(made_up_report(&made_up, false));
    expect(text, "# made \\& up\n\na test\n");
    expect(text, "| test accuracy | **86.67 %** of 30 samples |");
    expect(text, "| test loss | 0.4321 |");
    expect(text, "| parameters | 1234 |");
    expect(text, "| multiply-adds | 1.25 million a sample |");
    expect(text, "| file | 123 kB, SHA-256 `0123456789abcdef...` |");
    expect(text, "| trained on | 600 samples, 12 epochs |");
    expect(text, "| seed | 7 |\n| time | 1:23 |");
    expect(text, "![loss and accuracy over the epochs](curves.svg)");
    expect(text, "| a\\|b \\<i\\> | 10 | 10 | 100.00 % |");
    expect(text, "| ship | 0 | 2 | **8** |");
    expect(text, "| 1 | 17 | cat | a\\|b \\<i\\> | 98.00 % | 4.20 |");
    expect(text, "![](mistakes.png)");
    expect(text,
           "```json\n{\"name\": \"made & up\", \"description\": \"a test\", \"epochs\": 12}\n```");
    free(text);
}

static void what_does_not_apply_is_left_out(void **state)
{
    (void)state;
    struct made_up_report made_up;
    made_up_report(&made_up, false);
    struct eng_train_report *r = &made_up.report;
    r->n_classes = r->n_epochs = r->n_mistakes = r->n_parameters = r->kept_epoch = 0;
    r->confusion = NULL;
    r->test_accuracy = NAN;
    r->n_validation = 60;
    char *text = text_of(r);
    static const char *const absent[] = {"accuracy",  "parameters", "curves.svg", "Classes",
                                         "Confusion", "mistakes",   "nan",        "epochs |"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (strstr(text, absent[i])) fail_msg("'%s' should not be in:\n%s", absent[i], text);
    expect(text, "600 samples, 60 more for validation |");
    free(text);
}

static void an_earlier_epoch_is_named(void **state)
{
    (void)state;
    struct made_up_report made_up;
    made_up_report(&made_up, true);
    made_up.report.kept_epoch = 9;
    char *text = text_of(&made_up.report);
    expect(text, "12 epochs, the weights are those of epoch 9 |");
    free(text);
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void the_numbers_are_in_json(void **state)
{
    (void)state;
    struct made_up_report made_up;
    json_t *card = tool_card_json(made_up_report(&made_up, false), &file);
    assert_non_null(card);
    assert_true(number(card, "test_accuracy") == 26.0 / 30);
    assert_true(number(card, "seconds") == 83.4);
    assert_true(number(json_object_get(card, "file"), "bytes") == 123456);
    assert_true(number(json_object_get(card, "samples"), "train") == 600);
    const json_t *history = json_object_get(card, "history");
    assert_int_equal(json_array_size(history), 12);
    assert_true(json_is_null(json_object_get(json_array_get(history, 3), "validation_loss")));
    assert_true(json_is_null(json_object_get(json_array_get(history, 2), "test_loss")));
    assert_true(number(json_array_get(history, 11), "test_accuracy") ==
                made_up.epochs[11].test_accuracy);
    const json_t *row = json_array_get(json_object_get(card, "confusion"), 2);
    assert_int_equal(json_integer_value(json_array_get(row, 1)), 2);
    const json_t *mistake = json_array_get(json_object_get(card, "mistakes"), 0);
    assert_string_equal(json_string_value(json_object_get(mistake, "predicted")), "a|b <i>");
    assert_string_equal(json_string_value(json_object_get(json_object_get(card, "recipe"), "name")),
                        "made & up");
    json_decref(card);
}

static void sizes_have_three_digits(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *bytes, *count;
    } cases[] = {{0, "0 bytes", "0"},
                 {999, "999 bytes", "999"},
                 {1000, "1.00 kB", "1.00 thousand"},
                 {12345, "12.3 kB", "12.3 thousand"},
                 {413712, "414 kB", "414 thousand"},
                 {9.996e6, "10.0 MB", "10.0 million"},
                 {999.6e6, "1.00 GB", "1.00 billion"},
                 {5e12, "5000 GB", "5000 billion"}};
    char buf[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(tool_format_bytes(cases[i].value, buf, sizeof buf), cases[i].bytes);
        assert_string_equal(tool_format_count(cases[i].value, buf, sizeof buf), cases[i].count);
    }
}

/* Whatever is broken into lines is the same value again. */
static void json_is_broken_where_it_is_too_long(void **state)
{
    (void)state;
    static const char source[] =
        "{\"a\": [1, 2.5, \"x\\\"y\"], \"long\": [\"........................................\", "
        "\"........................................\", \"..............................\"], "
        "\"empty\": {}, \"in\": {\"k\\n\": null, \"t\": true}}";
    static const char wanted[] = "{\n  \"a\": [1, 2.5, \"x\\\"y\"],\n  \"long\": [\n    \"....";
    json_t *value = json_loads(source, 0, NULL);
    char *text = NULL;
    size_t n_bytes;
    FILE *out = open_memstream(&text, &n_bytes);
    assert_int_equal(tool_json_write(value, out, NULL), ENG_OK);
    assert_int_equal(fclose(out), 0);
    json_t *again = json_loads(text, 0, NULL);
    assert_true(json_equal(value, again));
    expect(text, wanted);
    expect(text, "  \"in\": {\"k\\n\": null, \"t\": true}\n}");
    json_decref(again);
    json_decref(value);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_says_all),
        cmocka_unit_test(what_does_not_apply_is_left_out),
        cmocka_unit_test(an_earlier_epoch_is_named),
        cmocka_unit_test(the_numbers_are_in_json),
        cmocka_unit_test(sizes_have_three_digits),
        cmocka_unit_test(json_is_broken_where_it_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
