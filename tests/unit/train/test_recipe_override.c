/* Settings from the command line, and variables, in a recipe. */
#include "train/layer.h"
#include "train/recipe.h"
#include "train/recipe_override.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char recipe[] =
    "{\"name\": \"tiny\", \"variables\": {\"hidden\": 20, \"rate\": 0.5, \"first\": \"Relu\"},"
    " \"epochs\": 3, \"batch\": 32, \"labels\": [\"a\", \"b\"],"
    " \"optimiser\": {\"kind\": \"SGD\", \"learning_rate\": \"$rate\", \"nesterov\": false},"
    " \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": \"$hidden\"},"
    "  {\"op\": \"$first\"}, {\"op\": \"Gemm\", \"outputs\": 2}]}";

static enum eng_status parse(const char *text, const char *const *settings, size_t n,
                             struct eng_recipe *out, struct eng_error *err)
{
    const struct eng_recipe_overrides overrides = {
        .seed = -1, .settings = settings, .n_settings = n};
    return eng_recipe_parse("r.json", text, strlen(text), &overrides, out, err);
}

#define SETTINGS(...) \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static struct eng_recipe good(const char *const *settings, size_t n)
{
    struct eng_recipe r = {0};
    struct eng_error err = {0};
    if (parse(recipe, settings, n, &r, &err) != ENG_OK) fail_msg("%s", err.text);
    return r;
}

static void variables_stand_for_values(void **state)
{
    (void)state;
    struct eng_recipe r = good(NULL, 0);
    assert_int_equal(r.layers[1].options.outputs, 20);
    assert_true(r.optimiser.learning_rate == 0.5);
    assert_string_equal(r.layers[2].kind->op, "Relu");
    assert_null(strstr(r.text, "variables"));
    assert_null(strchr(r.text, '$'));
    assert_non_null(strstr(r.text, "\"outputs\":20"));
    eng_recipe_fini(&r);
}

/* One setting, and what the recipe says then. */
static const struct {
    const char *setting, *text;
} changes[] = {
    {"hidden=6", "{\"op\":\"Gemm\",\"outputs\":6}"},
    {"first=Tanh", "{\"op\":\"Tanh\"}"},
    {"rate=1", "\"learning_rate\":1,"},
    {"variables.rate=2e-3", "\"learning_rate\":0.002"},
    {"optimiser.learning_rate=0.125", "\"learning_rate\":0.125,"},
    {"optimiser.learning_rate=$rate", "\"learning_rate\":0.5,"},
    {"optimiser.momentum=0.9", "\"momentum\":0.9"},
    {"optimiser.nesterov=true", "\"nesterov\":true"},
    {"layers.3.outputs=7", "{\"op\":\"Gemm\",\"outputs\":7}]"},
    {"layers.0={\"op\": \"Relu\"}", "[{\"op\":\"Relu\"},"},
    {"labels.1=7", "[\"a\",\"7\"]"},
    {"labels.1=\"7\"", "[\"a\",\"7\"]"},
    {"labels=[\"x\",\"y\",\"z\"]", "[\"x\",\"y\",\"z\"]"},
    {"name=12", "\"name\":\"12\""},
    {"name=a=b", "\"name\":\"a=b\""},
    {"epochs=9", "\"epochs\":9"},
    {"seed=5", "\"seed\":5"},
    {"schedule={\"kind\": \"cosine\"}", "\"schedule\":{\"kind\":\"cosine\"}"},
};

static void settings_change_the_recipe(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct eng_recipe r = {0};
        struct eng_error err = {0};
        enum eng_status status = parse(recipe, &changes[i].setting, 1, &r, &err);
        if (status != ENG_OK) fail_msg("%s: %s", changes[i].setting, err.text);
        if (!strstr(r.text, changes[i].text))
            fail_msg("%s: wanted %s in %s", changes[i].setting, changes[i].text, r.text);
        eng_recipe_fini(&r);
    }
}

static void later_settings_win_and_seed_and_epochs_over_all(void **state)
{
    (void)state;
    struct eng_recipe r = good(SETTINGS("hidden=6", "epochs=4", "hidden=7"));
    assert_int_equal(r.layers[1].options.outputs, 7);
    assert_int_equal(r.epochs, 4);
    eng_recipe_fini(&r);
    const char *setting = "epochs=4";
    const struct eng_recipe_overrides both = {
        .seed = 2, .epochs = 8, .settings = &setting, .n_settings = 1};
    assert_int_equal(eng_recipe_parse("r.json", recipe, strlen(recipe), &both, &r, NULL), ENG_OK);
    assert_int_equal(r.epochs, 8);
    assert_int_equal(r.seed, 2);
    eng_recipe_fini(&r);
}

static const struct {
    const char *setting, *sentence;
} wrong[] = {
    {"hidden", "'hidden' is no setting; wanted PATH=VALUE"},
    {"=3", "'=3' is no setting"},
    {"hiden=3", "hiden=3: the recipe has no hiden; did you mean hidden?"},
    {"epochz=3", "epochz is not a known key; did you mean epochs?"},
    {"optimizer.momentum=1", "the recipe has no optimizer; did you mean optimiser?"},
    {"optimiser.momentun=0.5", "optimiser.momentun is not a known key; did you mean momentum?"},
    {"layers.4.outputs=3", "the list has 4 items, and none is number 4"},
    {"layers.x.outputs=3", "none is number x"},
    {"layers.-1.outputs=3", "none is number -1"},
    {"layers.4={}", "none is number 4"},
    {"epochs.deep=3", "what stands before deep is neither an object nor a list"},
    {"epochs=ten", "epochs=ten is a text; wanted a number, as the recipe has"},
    {"epochs=[3]", "epochs=[3] is a list; wanted a number"},
    {"epochs=2.5", "epochs is 2.5; wanted an integer"},
    {"hidden=many", "hidden=many is a text; wanted a number"},
    {"hidden=null", "hidden=null is nothing; wanted a number"},
    {"optimiser.nesterov=1", "is a number; wanted true or false"},
    {"labels=7", "labels=7 is a number; wanted a list"},
    {"optimiser=SGD", "optimiser=SGD is a text; wanted an object"},
    {"name=\xff", "is not UTF-8"},
    {"layers.3.outputs=$hiden", "outputs=$hiden is a text; wanted a number"},
    {"optimiser.learning_rate=$rat", "there is no such variable; did you mean $rate?"},
    {"variables.hidden.x=3", "what stands before x is neither"},
};

static void wrong_settings_are_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct eng_recipe r;
        struct eng_error err = {0};
        if (parse(recipe, &wrong[i].setting, 1, &r, &err) == ENG_OK)
            fail_msg("%s was accepted", wrong[i].setting);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("%s: '%s'; wanted '%s'", wrong[i].setting, err.text, wrong[i].sentence);
    }
}

#define REST "\"name\": \"$n\", \"layers\": [{\"op\": \"Flatten\"}]}"

static const struct {
    const char *text, *sentence;
} wrong_variables[] = {
    {"{\"variables\": 3, " REST, "variables is 3; wanted an object"},
    {"{\"variables\": {\"n\": [1]}, " REST, "variables.n is [1]; wanted a number, true or false"},
    {"{\"variables\": {\"n\": null}, " REST, "variables.n is null"},
    {"{\"variables\": {}, " REST, "name is \"$n\", but there is no such variable"},
    {"{" REST, "name is \"$n\", but there is no such variable"},
    {"{\"variables\": {\"n\": \"a\", \"m\": 1}, " REST, "variables.m is used nowhere"},
    {"{\"variables\": {\"n\": 1}, " REST, "name is 1; wanted a string"},
};

static void wrong_variables_are_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_variables / sizeof *wrong_variables; i++) {
        struct eng_recipe r;
        struct eng_error err = {0};
        assert_int_not_equal(parse(wrong_variables[i].text, NULL, 0, &r, &err), ENG_OK);
        if (!strstr(err.text, wrong_variables[i].sentence))
            fail_msg("'%s'; wanted '%s'", err.text, wrong_variables[i].sentence);
    }
}

static void texts_and_variables_are_bounded(void **state)
{
    (void)state;
    char text[4096];
    struct eng_recipe r;
    struct eng_error err = {0};
    snprintf(text, sizeof text, "{\"variables\": {\"n\": \"%0101d\"}, " REST, 0);
    assert_int_equal(parse(text, NULL, 0, &r, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "at most 100 bytes"));
    size_t used = (size_t)snprintf(text, sizeof text, "{\"variables\": {\"n\": \"a\"");
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, ", \"v%d\": 1", i);
    snprintf(text + used, sizeof text - used, "}, " REST);
    err = (struct eng_error){0};
    assert_int_equal(parse(text, NULL, 0, &r, &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, "101 variables, at most 100"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_stand_for_values),
        cmocka_unit_test(settings_change_the_recipe),
        cmocka_unit_test(later_settings_win_and_seed_and_epochs_over_all),
        cmocka_unit_test(wrong_settings_are_sentences),
        cmocka_unit_test(wrong_variables_are_sentences),
        cmocka_unit_test(texts_and_variables_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
