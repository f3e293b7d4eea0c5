/* Recipes: what is read, and the sentence for every way to be wrong. */
#include "train/layer.h"
#include "train/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] =
    "{\"name\": \"tiny\", \"dataset\": \"digits\", \"seed\": 7, \"epochs\": 3, \"batch\": 32,"
    " \"shards\": 4, \"labels\": [\"a\", \"b\"],"
    " \"input\": {\"scale\": 0.5, \"mean\": [0.25], \"std\": [2]},"
    " \"augment\": {\"shift_px\": 2, \"flip_horizontal\": true},"
    " \"loss\": {\"kind\": \"cross_entropy\", \"label_smoothing\": 0.1},"
    " \"optimiser\": {\"kind\": \"Adam\", \"learning_rate\": 0.002},"
    " \"schedule\": {\"kind\": \"cosine\", \"warmup_epochs\": 1},"
    " \"layers\": [{\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [3, 3], \"bias\": false},"
    "  {\"op\": \"LeakyRelu\", \"alpha\": 0.125}, {\"op\": \"Flatten\"},"
    "  {\"op\": \"Gemm\", \"outputs\": 2, \"init\": \"xavier_uniform\"}]}";

static enum eng_status parse(const char *text, struct eng_recipe *out, struct eng_error *err)
{
    return eng_recipe_parse("r.json", text, strlen(text), NULL, out, err);
}

static void reads_every_part(void **state)
{
    (void)state;
    struct eng_recipe r;
    struct eng_error err = {0};
    if (parse(good, &r, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_string_equal(r.name, "tiny");
    assert_string_equal(r.data.dataset, "digits");
    assert_int_equal(r.seed, 7);
    assert_int_equal(r.epochs, 3);
    assert_int_equal(r.shards, 4);
    assert_int_equal(r.golden, 4);
    assert_int_equal(r.n_labels, 2);
    assert_string_equal(r.labels[1], "b");
    assert_true(r.input.scale == 0.5 && r.input.n_mean == 1 && r.input.std[0] == 2);
    assert_true(r.augment.shift_px == 2 && r.augment.flip_horizontal);
    assert_true(r.loss.label_smoothing == 0.1);
    assert_string_equal(eng_optimiser_kinds[r.optimiser.kind].name, "Adam");
    assert_true(r.optimiser.learning_rate == 0.002 && r.optimiser.beta2 == 0.999);
    assert_true(r.schedule.warmup_epochs == 1);
    assert_int_equal(r.n_layers, 4);
    assert_string_equal(r.layers[0].kind->op, "Conv");
    assert_int_equal(r.layers[0].options.outputs, 4);
    assert_false(r.layers[0].options.bias);
    assert_int_equal(r.layers[0].n_attrs, 1);
    assert_int_equal(r.layers[0].attrs[0].ints[1], 3);
    assert_true(r.layers[1].attrs[0].f == 0.125f);
    assert_true(r.layers[3].options.bias);
    eng_recipe_fini(&r);
}

static void reads_every_key_of_losses_and_augmentation(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\": \"a\", \"layers\": [{\"op\": \"Flatten\"}],"
        " \"augment\": {\"crop_px\": 2, \"pad\": \"reflect\", \"mirror\": \"alternate\","
        "  \"flip_vertical\": true, \"cutout_px\": 8, \"brightness\": 0.1, \"contrast\": 0.2,"
        "  \"mixup\": 0.3},"
        " \"loss\": {\"kind\": \"hinge\", \"margin\": 2, \"l2\": 0.5, \"class_weights\": [1, 3]},"
        " \"schedule\": {\"kind\": \"one_cycle\", \"peak\": 0.25, \"start_factor\": 0.2,"
        "  \"final_factor\": 0.07, \"anneal\": \"linear\"}}";
    struct eng_recipe r;
    struct eng_error err = {0};
    if (parse(text, &r, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_true(r.augment.crop_px == 2 && r.augment.pad == ENG_PAD_REFLECT);
    assert_true(r.augment.mirror == ENG_MIRROR_ALTERNATE && r.augment.flip_vertical);
    assert_true(r.augment.cutout_px == 8 && r.augment.brightness == 0.1);
    assert_true(r.augment.contrast == 0.2 && r.augment.mixup == 0.3);
    assert_string_equal(eng_loss_kinds[r.loss.kind].name, "hinge");
    assert_true(r.loss.margin == 2 && r.loss.l2 == 0.5 && !r.loss.balanced);
    assert_int_equal(r.loss.n_class_weights, 2);
    assert_true(r.loss.class_weights[0] == 1 && r.loss.class_weights[1] == 3);
    assert_string_equal(eng_schedule_kinds[r.schedule.kind].name, "one_cycle");
    assert_true(r.schedule.peak == 0.25 && r.schedule.start_factor == 0.2);
    assert_true(r.schedule.final_factor == 0.07 && r.schedule.anneal == ENG_ANNEAL_LINEAR);
    eng_recipe_fini(&r);
    static const char balanced[] = "{\"name\": \"a\", \"layers\": [{\"op\": \"Flatten\"}],"
                                   " \"loss\": {\"class_weights\": \"balanced\"}}";
    if (parse(balanced, &r, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_true(r.loss.balanced && !r.loss.class_weights);
    eng_recipe_fini(&r);
}

static void the_command_line_wins_and_is_recorded(void **state)
{
    (void)state;
    struct eng_recipe r;
    const struct eng_recipe_overrides overrides = {.seed = 99, .epochs = 5};
    assert_int_equal(eng_recipe_parse("r.json", good, strlen(good), &overrides, &r, NULL), ENG_OK);
    assert_int_equal(r.seed, 99);
    assert_int_equal(r.epochs, 5);
    assert_non_null(strstr(r.text, "\"seed\":99,\"epochs\":5"));
    eng_recipe_fini(&r);
}

#define LAYERS "\"layers\": [{\"op\": \"Flatten\"}]"

/* Each is wrong in one way; the sentence must hold the text beside it. */
static const struct {
    const char *text, *sentence;
} wrong[] = {
    {"", "r.json: line 1"},
    {"[1]", "r.json: wanted a JSON object"},
    {"{\"name\": \"a\", \"name\": \"b\"}", "r.json: line 1, column"},
    {"{" LAYERS "}", "r.json: name is missing"},
    {"{\"name\": \"\", " LAYERS "}", "name is \"\"; wanted the model's name"},
    {"{\"name\": \"a\"}", "layers is missing; wanted a list"},
    {"{\"name\": \"a\", \"layers\": []}", "layers has 0 entries"},
    {"{\"name\": \"a\", \"layers\": [3]}", "layers[0] is not an object"},
    {"{\"name\": \"a\", \"layers\": [{}]}", "layers[0].op is missing"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"Covn\"}]}",
     "layers[0].op is \"Covn\"; wanted an operator's name, such as \"Conv\""},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"Gemm\"}]}", "layers[0].outputs is missing"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"Gemm\", \"output\": 3}]}",
     "layers[0].output is not a known key; did you mean outputs?"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"Gemm\", \"outputs\": 0}]}",
     "layers[0].outputs is 0"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"MaxPool\", \"kernel_shap\": [2]}]}",
     "did you mean kernel_shape?"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"MaxPool\", \"kernel_shape\": [2, 0.5]}]}",
     "layers[0].kernel_shape is [2,0.5]; wanted a list"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"MaxPool\", \"kernel_shape\": "
     "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}]}",
     "at most 32 integers"},
    {"{\"name\": \"a\", \"layers\": [{\"op\": \"Gemm\", \"outputs\": 2, \"init\": \"he\"}]}",
     "layers[0].init is 'he'"},
    {"{\"name\": \"a\", \"sed\": 3, " LAYERS "}",
     "r.json: sed is not a known key; did you mean seed?"},
    {"{\"name\": \"a\", \"optimizer\": {}, " LAYERS "}", "did you mean optimiser?"},
    {"{\"name\": \"a\", \"zzzzzzzz\": {}, " LAYERS "}", "zzzzzzzz is not a known key"},
    {"{\"name\": \"a\", \"epochs\": 0, " LAYERS "}", "r.json: epochs is 0"},
    {"{\"name\": \"a\", \"epochs\": 1.5, " LAYERS "}", "epochs is 1.5; wanted an integer"},
    {"{\"name\": 5, " LAYERS "}", "name is 5; wanted a string"},
    {"{\"name\": \"a\", \"batch\": 10, \"shards\": 4, " LAYERS "}",
     "batch is 10; wanted a multiple of shards, 4"},
    {"{\"name\": \"a\", \"labels\": [\"x\"], " LAYERS "}", "labels is [\"x\"]; wanted a list of 2"},
    {"{\"name\": \"a\", \"labels\": [\"x\", 1], " LAYERS "}", "labels is 1; wanted a string"},
    {"{\"name\": \"a\", \"labels\": {}, " LAYERS "}", "labels is {}; wanted a list"},
    {"{\"name\": \"a\", \"loss\": [], " LAYERS "}", "loss is []; wanted an object"},
    {"{\"name\": \"a\", \"loss\": {\"kind\": \"hing\"}, " LAYERS "}",
     "loss.kind is \"hing\"; wanted \"cross_entropy\" or \"hinge\""},
    {"{\"name\": \"a\", \"loss\": {\"class_weights\": \"even\"}, " LAYERS "}",
     "loss.class_weights is \"even\"; wanted \"balanced\" or a list of 2 to 65536 numbers"},
    {"{\"name\": \"a\", \"loss\": {\"class_weights\": [1]}, " LAYERS "}",
     "loss.class_weights is [1]; wanted \"balanced\" or a list"},
    {"{\"name\": \"a\", \"loss\": {\"class_weights\": [1, -1]}, " LAYERS "}",
     "loss.class_weights[1] is -1; wanted"},
    {"{\"name\": \"a\", \"loss\": {\"kind\": \"mean_squared_error\", \"class_weights\": [1, "
     "1]}, " LAYERS "}",
     "loss.class_weights goes with labels; mean_squared_error wants none"},
    {"{\"name\": \"a\", \"loss\": {\"margin\": 2}, " LAYERS "}", "loss.margin is not a known key"},
    {"{\"name\": \"a\", \"augment\": {\"pad\": \"wrap\"}, " LAYERS "}",
     "augment.pad is 'wrap', but must be one of: zero"},
    {"{\"name\": \"a\", \"augment\": {\"crop_px\": 1.5}, " LAYERS "}",
     "augment.crop_px is 1.5; wanted an integer"},
    {"{\"name\": \"a\", \"schedule\": {\"kind\": \"one_cycle\", \"warmup_epochs\": 1}, " LAYERS "}",
     "schedule.warmup_epochs is not a known key"},
    {"{\"name\": \"a\", \"optimiser\": {\"kind\": \"SGD\", \"beta1\": 0.5}, " LAYERS "}",
     "optimiser.beta1 is not a known key"},
    {"{\"name\": \"a\", \"optimiser\": {\"momentum\": \"high\"}, " LAYERS "}",
     "optimiser.momentum is \"high\"; wanted a number"},
    {"{\"name\": \"a\", \"optimiser\": {\"momentum\": 1.5}, " LAYERS "}",
     "r.json: optimiser.momentum is 1.5"},
    {"{\"name\": \"a\", \"augment\": {\"flip_horizontal\": 1}, " LAYERS "}",
     "augment.flip_horizontal is 1; wanted true or false"},
    {"{\"name\": \"a\", \"input\": {\"mean\": [1, 2], \"std\": [1, 1]}, " LAYERS "}",
     "input.mean is [1,2]; wanted 1 or 3 numbers"},
    {"{\"name\": \"a\", \"input\": {\"mean\": [1], \"std\": [0]}, " LAYERS "}",
     "input.std is [0]; wanted 1 or 3 numbers above 0"},
    {"{\"name\": \"a\", \"input\": {\"mean\": [1]}, " LAYERS "}", "wanted as many of both"},
};

static void every_mistake_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct eng_recipe r = {0};
        struct eng_error err = {0};
        enum eng_status status = parse(wrong[i].text, &r, &err);
        if (status != ENG_FORMAT || err.status != ENG_FORMAT)
            fail_msg("%s: status %s", wrong[i].text, eng_status_name(status));
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i].text, err.text, wrong[i].sentence);
        assert_null(r.name);
    }
}

/* Every prefix of a good recipe is refused, without a read past its end. */
static void truncated_at_every_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(good); n++) {
        char *part = malloc(n ? n : 1);
        struct eng_recipe r;
        memcpy(part, good, n);
        assert_int_equal(eng_recipe_parse("r.json", part, n, NULL, &r, NULL), ENG_FORMAT);
        free(part);
    }
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct eng_recipe r;
    struct eng_error err = {0};
    assert_int_equal(eng_recipe_load("no/such/recipe.json", NULL, &r, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, "no/such/recipe.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_part),
        cmocka_unit_test(reads_every_key_of_losses_and_augmentation),
        cmocka_unit_test(the_command_line_wins_and_is_recorded),
        cmocka_unit_test(every_mistake_has_its_sentence),
        cmocka_unit_test(truncated_at_every_byte),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
