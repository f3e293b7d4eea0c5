/* Resizing while reading gives what decoding and then resizing gives: samples and errors. */
#include "base/rng.h"
#include "engine/preprocess.h"
#include "shipped.h"

#include <string.h>

enum { N_SAMPLE = 3 * 96 * 96 };

struct outcome {
    enum eng_status status;
    struct eng_error err;
    float sample[N_SAMPLE];
};

static struct eng_preprocess way(enum eng_resize resize, uint32_t width, uint32_t height)
{
    return (struct eng_preprocess){
        .color = ENG_COLOR_RGB,
        .resize = resize,
        .width_px = width,
        .height_px = height,
        .shorter_side_px = 40,
        .scale = 1,
        .std = {1, 1, 1},
    };
}

static struct outcome in_two_steps(const struct eng_preprocess *pre, const void *bytes, size_t n,
                                   const struct eng_image_limits *limits)
{
    struct outcome o = {0};
    struct eng_image image = {0};
    o.status = eng_image_decode(bytes, n, limits, &image, &o.err);
    if (o.status == ENG_OK) o.status = eng_preprocess_image(pre, &image, o.sample, &o.err);
    eng_image_fini(&image);
    return o;
}

static enum eng_status expect_the_same(const struct eng_preprocess *pre, const void *bytes,
                                       size_t n, const struct eng_image_limits *limits)
{
    static struct outcome want, got;
    want = in_two_steps(pre, bytes, n, limits);
    got = (struct outcome){0};
    got.status = eng_preprocess_encoded(pre, bytes, n, limits, got.sample, &got.err);
    assert_int_equal(got.status, want.status);
    assert_string_equal(got.err.text, want.err.text);
    if (want.status == ENG_OK) assert_memory_equal(got.sample, want.sample, sizeof want.sample);
    return got.status;
}

/* The file with an Exif segment that says orientation 6. */
static struct eng_file turned(const char *name)
{
    static const uint8_t segment[] = {
        0xFF, 0xE1, 0,    34,   'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
        1,    0,    0x12, 0x01, 3,   0,   1,   0,   0, 0, 6,   0,   0,  0, 0, 0, 0, 0,
    };
    struct eng_file file = shipped(name);
    uint8_t *bytes = malloc(file.n_bytes + sizeof segment);
    assert_non_null(bytes);
    memcpy(bytes, file.bytes, 2);
    memcpy(bytes + 2, segment, sizeof segment);
    memcpy(bytes + 2 + sizeof segment, file.bytes + 2, file.n_bytes - 2);
    size_t n = file.n_bytes + sizeof segment;
    eng_file_fini(&file);
    return (struct eng_file){.bytes = bytes, .n_bytes = n};
}

static void every_way(const struct eng_file *file)
{
    const struct eng_image_limits limits = eng_image_limits_default();
    static const uint32_t sizes[][2] = {{96, 64}, {64, 96}, {17, 23}, {1, 1}, {96, 96}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (unsigned bits = 0; bits < 3 * 3 * 3 * 2; bits++) {
            struct eng_preprocess pre = way((enum eng_resize)(bits % 3), sizes[s][0], sizes[s][1]);
            pre.filter = (enum eng_filter)(bits / 3 % 3);
            pre.color = (enum eng_color)(bits / 9 % 3);
            pre.aliased = bits / 27;
            expect_the_same(&pre, file->bytes, file->n_bytes, &limits);
        }
}

static void pictures_of_all_kinds(void **state)
{
    (void)state;
    static const char *const names[] = {"scene.jpg", "scene_progressive.jpg", "scene_cmyk.jpg",
                                        "three.jpg", "scene_alpha.png",       "seven.png"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct eng_file file = shipped(names[i]);
        every_way(&file);
        eng_file_fini(&file);
    }
}

static void turned_pictures(void **state)
{
    (void)state;
    struct eng_file file = turned("scene.jpg");
    struct eng_image image;
    const struct eng_image_limits limits = eng_image_limits_default();
    assert_int_equal(eng_image_decode(file.bytes, file.n_bytes, &limits, &image, NULL), ENG_OK);
    assert_int_equal(image.width_px, 64); /* it is turned indeed */
    eng_image_fini(&image);
    every_way(&file);
    free((void *)(uintptr_t)file.bytes);
}

/* The model's window ends in the middle: damage behind it is found all the same. */
static void truncated_files(void **state)
{
    (void)state;
    const struct eng_image_limits limits = eng_image_limits_default();
    const struct eng_preprocess pre = way(ENG_RESIZE_CENTER_CROP, 10, 10);
    static const char *const names[] = {"scene.jpg", "scene_progressive.jpg"};
    for (size_t i = 0; i < 2; i++) {
        struct eng_file file = shipped(names[i]);
        for (size_t n = 0; n < file.n_bytes; n++)
            assert_int_not_equal(expect_the_same(&pre, file.bytes, n, &limits), ENG_OK);
        assert_int_equal(expect_the_same(&pre, file.bytes, file.n_bytes, &limits), ENG_OK);
        eng_file_fini(&file);
    }
}

static void changed_bytes(void **state)
{
    (void)state;
    const struct eng_image_limits limits = {1 << 20, 1 << 16, 1 << 16};
    const struct eng_preprocess pre = way(ENG_RESIZE_CENTER_CROP, 10, 10);
    struct eng_file file = shipped("scene.jpg");
    uint8_t *bytes = malloc(file.n_bytes);
    assert_non_null(bytes);
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    for (int round = 0; round < 1500; round++) {
        memcpy(bytes, file.bytes, file.n_bytes);
        for (uint64_t k = eng_rng_below(&rng, 4); k < 4; k++)
            bytes[eng_rng_below(&rng, file.n_bytes)] = (uint8_t)eng_rng_below(&rng, 256);
        expect_the_same(&pre, bytes, file.n_bytes, &limits);
    }
    free(bytes);
    eng_file_fini(&file);
}

static void limits_hold(void **state)
{
    (void)state;
    const struct eng_preprocess pre = way(ENG_RESIZE_STRETCH, 10, 10);
    struct eng_file file = shipped("scene.jpg");
    struct eng_image_limits limits = eng_image_limits_default();
    limits.n_pixels = 96 * 64;
    assert_int_equal(expect_the_same(&pre, file.bytes, file.n_bytes, &limits), ENG_OK);
    limits.n_pixels--;
    assert_int_equal(expect_the_same(&pre, file.bytes, file.n_bytes, &limits), ENG_LIMIT);
    limits = eng_image_limits_default();
    limits.n_bytes = file.n_bytes - 1;
    assert_int_equal(expect_the_same(&pre, file.bytes, file.n_bytes, &limits), ENG_LIMIT);
    struct eng_preprocess bad = way(ENG_RESIZE_STRETCH, 10, 0);
    limits = eng_image_limits_default();
    assert_int_equal(expect_the_same(&bad, file.bytes, file.n_bytes, &limits), ENG_LIMIT);
    eng_file_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_of_all_kinds), cmocka_unit_test(turned_pictures),
        cmocka_unit_test(truncated_files),       cmocka_unit_test(changed_bytes),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
