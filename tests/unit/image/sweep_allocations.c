/* Every allocation while a picture is decoded, prepared or encoded fails once. */
#include "build_png.h"
#include "failing_malloc.h"
#include "shipped.h"

#include "engine/preprocess.h"

static enum eng_status decode(void *ctx, struct eng_error *err)
{
    const struct built *file = ctx;
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image = {0};
    enum eng_status status = eng_image_decode(file->bytes, file->n, &limits, &image, err);
    assert_true((status == ENG_OK) == (image.pixels != NULL));
    eng_image_fini(&image);
    return status;
}

/* So wide that libpng's rows do not fit in the memory that it is given from the stack. */
static struct built wide_png(void)
{
    enum { WIDTH = 30000, N_ROWS = 2 * (1 + 3 * WIDTH) };
    struct built png = built_begin(WIDTH, 2, 8, 2);
    uint8_t *rows = malloc(N_ROWS);
    assert_non_null(rows);
    for (size_t i = 0; i < N_ROWS; i++)
        rows[i] = (uint8_t)(i * i >> 7);
    rows[0] = rows[1 + 3 * WIDTH] = 4; /* Paeth: wants the row above */
    built_chunk(&png, "tEXt", "Title\0wide", 10);
    built_chunk(&png, "tRNS", "\0\1\0\2\0\3", 6);
    built_image_data(&png, rows, N_ROWS);
    built_end(&png);
    free(rows);
    return png;
}

static void decoding(void **state)
{
    (void)state;
    const char *names[] = {"seven.png", "scene_interlaced.png", "scene_progressive.jpg"};
    for (size_t i = 0; i < 3; i++) {
        struct eng_file file = shipped(names[i]);
        struct built bytes = {file.bytes, file.n_bytes};
        /* The pixels only: libpng is content with the stack, libjpeg allocates for itself. */
        assert_int_equal(failing_malloc_sweep(decode, &bytes), 1);
        eng_file_fini(&file);
    }
    struct built wide = wide_png();
    assert_true(failing_malloc_sweep(decode, &wide) > 3);
    free(wide.bytes);
}

struct preparation {
    struct eng_preprocess pre;
    struct eng_image image;
};

static enum eng_status prepare(void *ctx, struct eng_error *err)
{
    static float sample[64 * 64 * 3];
    const struct preparation *p = ctx;
    return eng_preprocess_image(&p->pre, &p->image, sample, err);
}

static void preparing(void **state)
{
    (void)state;
    struct preparation p = {
        .pre = {.color = ENG_COLOR_RGB,
                .resize = ENG_RESIZE_CENTER_CROP,
                .width_px = 37,
                .height_px = 23,
                .shorter_side_px = 23,
                .scale = 1,
                .std = {1, 1, 1}},
        .image = shipped_picture("scene.png"),
    };
    assert_int_equal(failing_malloc_sweep(prepare, &p), 0); /* has the model's size and colours */
    p.pre.color = ENG_COLOR_GRAY;
    assert_int_equal(failing_malloc_sweep(prepare, &p), 1);
    p.pre.width_px = p.pre.height_px = p.pre.shorter_side_px = 64;
    assert_true(failing_malloc_sweep(prepare, &p) > 8);
    eng_image_fini(&p.image);
}

static enum eng_status prepare_encoded(void *ctx, struct eng_error *err)
{
    static float sample[64 * 64 * 3];
    const struct eng_image_limits limits = eng_image_limits_default();
    const struct eng_preprocess pre = {
        .color = ENG_COLOR_RGB, .width_px = 64, .height_px = 64, .scale = 1, .std = {1, 1, 1}};
    const struct eng_file *file = ctx;
    return eng_preprocess_encoded(&pre, file->bytes, file->n_bytes, &limits, sample, err);
}

static void preparing_while_reading(void **state)
{
    (void)state;
    struct eng_file file = shipped("scene.jpg");
    assert_true(failing_malloc_sweep(prepare_encoded, &file) > 10);
    eng_file_fini(&file);
}

static enum eng_status encode(void *ctx, struct eng_error *err)
{
    uint8_t *bytes = NULL;
    size_t n_bytes;
    enum eng_status status = eng_image_encode_png(ctx, &bytes, &n_bytes, err);
    assert_true((status == ENG_OK) == (bytes != NULL));
    free(bytes);
    return status;
}

static void encoding(void **state)
{
    (void)state;
    struct eng_image scene = shipped_picture("scene.png");
    assert_true(failing_malloc_sweep(encode, &scene) > 4);
    eng_image_fini(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding),
        cmocka_unit_test(preparing),
        cmocka_unit_test(preparing_while_reading),
        cmocka_unit_test(encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
