/* Checkpoints come back as they were written, and nothing else is taken for one. */
#include "base/digest.h"
#include "train/checkpoint.h"
#include "train/recipe_difference.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DIGEST = ENG_DIGEST_CHARS - 1 };

static const float weights[] = {1, -2, 0.5f}, memory[] = {3, 4}, average[] = {5, 6, 7};
static const struct eng_train_epoch epochs[] = {{0.1, 1, 2, 3, 4, 5, 6, 7},
                                                {0.2, 8, 9, 1e-300, 1e300, 12, 13, 14}};

static const struct eng_checkpoint sample = {
    .recipe = "{\"name\":\"x\"}",
    .train_data = "aa",
    .test_data = "bb",
    .origin = "",
    .changes = "[]",
    .n_optimiser_steps = UINT64_C(0x123456789abcdef),
    .n_averaged = 3,
    .best_epoch = 2,
    .best = -0.125,
    .epochs = {epochs, 2},
    .weights = {weights, 3},
    .memory = {memory, 2},
    .average = {average, 3},
};

static uint8_t *format(size_t *n_bytes)
{
    uint8_t *bytes;
    assert_int_equal(eng_checkpoint_format(&sample, &bytes, n_bytes, NULL), ENG_OK);
    return bytes;
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    struct eng_arena arena;
    struct eng_checkpoint c;
    size_t n_bytes;
    uint8_t *bytes = format(&n_bytes);
    eng_arena_init(&arena);
    assert_int_equal(eng_checkpoint_parse("file", bytes, n_bytes, &arena, &c, NULL), ENG_OK);
    free(bytes); /* nothing points into it */
    assert_string_equal(c.recipe, sample.recipe);
    assert_string_equal(c.train_data, "aa");
    assert_string_equal(c.test_data, "bb");
    assert_string_equal(c.origin, "");
    assert_string_equal(c.changes, "[]");
    assert_true(c.n_optimiser_steps == sample.n_optimiser_steps);
    assert_int_equal(c.n_averaged, 3);
    assert_int_equal(c.best_epoch, 2);
    assert_true(c.best == -0.125);
    assert_int_equal(c.epochs.n, 2);
    assert_memory_equal(c.epochs.v, epochs, sizeof epochs);
    assert_int_equal(c.weights.n, 3);
    assert_memory_equal(c.weights.v, weights, sizeof weights);
    assert_int_equal(c.memory.n, 2);
    assert_memory_equal(c.memory.v, memory, sizeof memory);
    assert_memory_equal(c.average.v, average, sizeof average);
    assert_int_equal(c.best_ones.n, 0);
    eng_arena_fini(&arena);
}

/* Parses a copy of exactly that size, so that the sanitizer sees a read beyond it. */
static void expect_refusal(const uint8_t *bytes, size_t n_bytes, const char *sentence)
{
    struct eng_arena arena;
    struct eng_checkpoint c;
    struct eng_error err = {0};
    uint8_t *copy = malloc(n_bytes ? n_bytes : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n_bytes);
    eng_arena_init(&arena);
    assert_int_equal(eng_checkpoint_parse("file", copy, n_bytes, &arena, &c, &err), ENG_FORMAT);
    if (!strstr(err.text, sentence)) fail_msg("\"%s\" lacks \"%s\"", err.text, sentence);
    assert_int_equal(strncmp(err.text, "file: ", 6), 0);
    eng_arena_fini(&arena);
    free(copy);
}

static void cut_at_every_byte_it_is_refused(void **state)
{
    (void)state;
    size_t n_bytes;
    uint8_t *bytes = format(&n_bytes);
    for (size_t n = 0; n < n_bytes; n++)
        expect_refusal(bytes, n, n < 21 ? "not a checkpoint" : "a damaged checkpoint");
    free(bytes);
}

static void a_changed_byte_is_seen(void **state)
{
    (void)state;
    size_t n_bytes;
    uint8_t *bytes = format(&n_bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] ^= 0x10;
        expect_refusal(bytes, n_bytes, "checkpoint");
        bytes[i] ^= 0x10;
    }
    free(bytes);
}

/* Cut between its chunks and signed again: as a faulty program would write it. */
static void a_good_digest_does_not_make_it_good(void **state)
{
    (void)state;
    size_t n_bytes;
    uint8_t *bytes = format(&n_bytes);
    for (size_t n = 25; n < n_bytes - DIGEST; n++) {
        char digest[ENG_DIGEST_CHARS];
        uint8_t *file = malloc(n + DIGEST);
        assert_non_null(file);
        memcpy(file, bytes, n);
        eng_digest_sha256(file, n, digest);
        memcpy(file + n, digest, DIGEST);
        expect_refusal(file, n + DIGEST, "is missing or malformed");
        free(file);
    }
    bytes[21] = 2;
    expect_refusal(bytes, n_bytes, "a checkpoint of version 2; wanted 1");
    free(bytes);
}

static void compare(const char *was, const char *now, const char *changes, enum eng_status wanted,
                    const char *text)
{
    struct eng_error err = {0};
    char *out = NULL;
    enum eng_status status =
        eng_recipe_compare("out/checkpoint", was, "r.json", now, 7, changes, &out, &err);
    const char *found = status == ENG_OK ? out ? out : "" : err.text;
    if (status != wanted || strcmp(found, text) != 0)
        fail_msg("%s and %s: %s \"%s\"", was, now, eng_status_name(status), found);
    free(out);
}

#define REFUSED(key, was, now)                                                               \
    "out/checkpoint is of another recipe: its " key " is " was "; r.json has " now           \
    ". Only epochs, schedule, optimiser.learning_rate and clip_gradient_norm may change on " \
    "--resume"

static void differences_are_named(void **state)
{
    (void)state;
    compare("{\"a\":1}", "{\"a\":1.0}", "", ENG_OK, "");
    compare("{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":3}]}", "", ENG_FORMAT,
            REFUSED("a.1.b", "2", "3"));
    compare("{\"seed\":1}", "{}", "", ENG_FORMAT, REFUSED("seed", "1", "not given"));
    compare("{}", "{\"seed\":1}", "", ENG_FORMAT, REFUSED("seed", "not given", "1"));
    compare("{\"epochs_\":1}", "{\"epochs_\":2}", "", ENG_FORMAT, REFUSED("epochs_", "1", "2"));
    compare("{\"epochs\":1}", "{\"epochs\":2}", "", ENG_OK,
            "[\"from epoch 7 on epochs is 2; it was 1\"]");
    compare(
        "{\"schedule\":{\"kind\":\"step\"}}", "{\"schedule\":{\"kind\":\"cosine\"}}",
        "[\"before\"]", ENG_OK,
        "[\"before\",\"from epoch 7 on schedule.kind is \\\"cosine\\\"; it was \\\"step\\\"\"]");
    compare("{\"optimiser\":{\"kind\":\"SGD\"}}", "{}", "", ENG_FORMAT,
            REFUSED("optimiser", "{\"kind\":\"SGD\"}", "not given"));
    compare("{}", "{}", "[\"before\"]", ENG_OK, "[\"before\"]");
    compare("{}", "{}", "{}", ENG_FORMAT, "out/checkpoint: its changes are no list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_comes_back),
        cmocka_unit_test(cut_at_every_byte_it_is_refused),
        cmocka_unit_test(a_changed_byte_is_seen),
        cmocka_unit_test(a_good_digest_does_not_make_it_good),
        cmocka_unit_test(differences_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
