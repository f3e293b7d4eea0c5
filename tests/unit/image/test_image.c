/* Telling formats apart by content, limits on bytes, files. */
#include "shipped.h"
#include "temp_folder.h"

#include <string.h>

static void types_are_told_by_content(void **state)
{
    (void)state;
    assert_string_equal(eng_image_type("\x89PNG\r\n\x1a\n", 8), "png");
    assert_string_equal(eng_image_type("\xff\xd8\xff\xe0", 4), "jpeg");
    assert_null(eng_image_type("\x89PNG\r\n\x1a", 7));
    assert_null(eng_image_type("GIF89a", 6));
    assert_null(eng_image_type("", 0));
}

static void expect_refusal(const void *bytes, size_t n, const struct eng_image_limits *limits,
                           enum eng_status status, const char *sentence)
{
    struct eng_image image = {0};
    struct eng_error err = {0};
    assert_int_equal(eng_image_decode(bytes, n, limits, &image, &err), status);
    assert_string_equal(err.text, sentence);
    assert_null(image.pixels);
    assert_int_equal(eng_image_decode(bytes, n, limits, &image, NULL), status);
}

static void other_contents_are_refused(void **state)
{
    (void)state;
    struct eng_image_limits limits = eng_image_limits_default();
    expect_refusal("", 0, &limits, ENG_FORMAT, "the picture is empty (0 bytes)");
    expect_refusal("GIF89a\1\0\1\0", 10, &limits, ENG_FORMAT,
                   "the picture is neither PNG nor JPEG: it begins with 47 49 46 38 39 61 01 00");
    expect_refusal("\xff\xd8", 2, &limits, ENG_FORMAT,
                   "the picture is neither PNG nor JPEG: it begins with ff d8");
}

static void bytes_and_pixels_are_limited(void **state)
{
    (void)state;
    struct eng_file file = shipped("scene.png");
    struct eng_image_limits limits = {
        .n_bytes = file.n_bytes, .n_pixels = 37 * 23, .chunk_bytes = 0};
    struct eng_image image;
    assert_int_equal(eng_image_decode(file.bytes, file.n_bytes, &limits, &image, NULL), ENG_LIMIT);
    limits.chunk_bytes = 13; /* the header chunk */
    assert_int_equal(eng_image_decode(file.bytes, file.n_bytes, &limits, &image, NULL), ENG_OK);
    eng_image_fini(&image);
    limits.n_pixels--;
    expect_refusal(file.bytes, file.n_bytes, &limits, ENG_LIMIT,
                   "PNG: 37 x 23 pixels are 851, the limit is 850");
    limits.n_bytes = 100;
    char sentence[80];
    snprintf(sentence, sizeof sentence, "the picture has %zu bytes, the limit is 100",
             file.n_bytes);
    expect_refusal(file.bytes, file.n_bytes, &limits, ENG_LIMIT, sentence);
    eng_file_fini(&file);
}

static void a_wrong_extension_does_not_matter(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "three.png");
    struct eng_file jpeg = shipped("three.jpg");
    assert_int_equal(eng_file_write(path, jpeg.bytes, jpeg.n_bytes, NULL), ENG_OK);
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    assert_int_equal(eng_image_load(path, &limits, &image, NULL), ENG_OK);
    assert_int_equal(image.width_px, 28);
    eng_image_fini(&image);
    assert_null(image.pixels);
    eng_image_fini(&image); /* a zeroed struct is accepted */
    eng_file_fini(&jpeg);
    temp_folder_remove(&folder);
}

static void load_names_the_path(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "note.txt");
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    struct eng_error err = {0};
    assert_int_equal(eng_image_load(path, &limits, &image, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(eng_file_write(path, "hello", 5, NULL), ENG_OK);
    err = (struct eng_error){0};
    assert_int_equal(eng_image_load(path, &limits, &image, &err), ENG_FORMAT);
    assert_memory_equal(err.text, path, strlen(path));
    assert_non_null(strstr(err.text, "it begins with 68 65 6c 6c 6f"));
    limits.n_bytes = 4;
    err = (struct eng_error){0};
    assert_int_equal(eng_image_load(path, &limits, &image, &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, path));
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_told_by_content),
        cmocka_unit_test(other_contents_are_refused),
        cmocka_unit_test(bytes_and_pixels_are_limited),
        cmocka_unit_test(a_wrong_extension_does_not_matter),
        cmocka_unit_test(load_names_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
