/* Decision regions of a model that was trained here, and the captions beside them. */
#include "base/file.h"
#include "caption.h"
#include "regions.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE_PX = 120 };

/* Class 0 is the outer ring, class 1 the inner one. */
static const char rings[] =
    "{\"name\": \"rings\", \"toy\": {\"kind\": \"circle\", \"samples\": 120, \"noise\": 0.05},"
    " \"epochs\": 80, \"batch\": 20, \"shards\": 1,"
    " \"optimiser\": {\"kind\": \"Adam\", \"learning_rate\": 0.05},"
    " \"layers\": [{\"op\": \"Gemm\", \"outputs\": 16}, {\"op\": \"Tanh\"},"
    "  {\"op\": \"Gemm\", \"outputs\": 2}]}";

static const char line[] = "{\"name\": \"line\", \"dataset\": \"line.csv\", \"csv\": {\"target\": "
                           "\"y\", \"test_share\": 0.25}, \"epochs\": 2,"
                           " \"batch\": 2, \"shards\": 1, \"loss\": {\"kind\": "
                           "\"mean_squared_error\"},"
                           " \"layers\": [{\"op\": \"Gemm\", \"outputs\": 1}]}";

static void train(struct temp_folder *folder, const char *text, const char *data_dir,
                  struct tool_trained *out)
{
    char recipe[300], dir[300];
    struct eng_error err = {0};
    struct eng_train_report *report = NULL;
    snprintf(recipe, sizeof recipe, "%s/recipe.json", folder->path);
    snprintf(dir, sizeof dir, "%s/out", folder->path);
    assert_int_equal(eng_file_write(recipe, text, strlen(text), NULL), ENG_OK);
    const struct eng_train_options options = {
        .recipe_path = recipe, .data_dir = data_dir, .out_dir = dir, .seed = -1, .report = &report};
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    if (tool_trained_open(dir, data_dir, report, NULL, out, &err) != ENG_OK)
        fail_msg("%s", err.text);
    eng_train_report_destroy(report);
}

/* The class whose colour, mixed with white, comes nearest. */
static size_t class_at(const struct eng_image *canvas, int x, int y)
{
    const uint8_t *p = canvas->pixels + ((size_t)y * canvas->width_px + (size_t)x) * 3;
    long best = -1;
    size_t best_class = 0;
    for (size_t c = 0; c < 2; c++)
        for (int share = 10; share <= 50; share += 5) {
            const struct tool_color white = {255, 255, 255};
            struct tool_color color = tool_color_mix(white, tool_class_color(c), share / 100.0);
            long r = p[0] - color.red, g = p[1] - color.green, b = p[2] - color.blue;
            long distance = r * r + g * g + b * b;
            if (best < 0 || distance < best) {
                best = distance;
                best_class = c;
            }
        }
    return best_class;
}

static void rings_are_seen(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct tool_trained trained;
    struct eng_image canvas;
    const struct tool_color white = {255, 255, 255};
    train(&folder, rings, NULL, &trained);
    assert_true(tool_regions_apply(&trained));
    assert_int_equal(tool_canvas_create(SIDE_PX + 40, SIDE_PX + 40, white, &canvas, NULL), ENG_OK);
    assert_int_equal(tool_regions_draw(&trained, &canvas, 20, 20, SIDE_PX, NULL), ENG_OK);
    int middle = 20 + SIDE_PX / 2;
    assert_int_equal(class_at(&canvas, middle, middle), 1);
    assert_int_equal(class_at(&canvas, 22, 22), 0);
    assert_int_equal(class_at(&canvas, 20 + SIDE_PX - 3, middle), 0);
    static const uint8_t ground[3] = {255, 255, 255};
    assert_memory_equal(canvas.pixels + (19 * canvas.width_px + 60) * 3, ground, 3);
    /* Dots have their class's own colour, which no region has. */
    size_t n_dots[2] = {0};
    for (size_t i = 0; i < (size_t)canvas.width_px * canvas.height_px; i++)
        for (size_t c = 0; c < 2; c++) {
            struct tool_color color = tool_class_color(c);
            n_dots[c] += memcmp(canvas.pixels + 3 * i, &color, 3) == 0;
        }
    assert_true(n_dots[0] > 60 && n_dots[1] > 60);
    eng_image_fini(&canvas);
    char path[300];
    snprintf(path, sizeof path, "%s/out", folder.path);
    assert_int_equal(tool_regions_write(path, &trained, NULL), ENG_OK);
    struct eng_image_limits limits = eng_image_limits_default();
    snprintf(path, sizeof path, "%s/out/regions.png", folder.path);
    assert_int_equal(eng_image_load(path, &limits, &canvas, NULL), ENG_OK);
    assert_int_equal(canvas.width_px, canvas.height_px);
    eng_image_fini(&canvas);
    tool_trained_fini(&trained);
    temp_folder_remove(&folder);
}

static void a_regression_has_none(void **state)
{
    (void)state;
    static const char table[] = "a,b,y\n1,2,3\n2,1,4\n3,5,6\n4,1,2\n5,2,5\n6,7,1\n7,1,2\n8,2,9\n";
    struct temp_folder folder = temp_folder_make();
    struct tool_trained trained;
    assert_int_equal(
        eng_file_write(temp_folder_file(&folder, "line.csv"), table, strlen(table), NULL), ENG_OK);
    train(&folder, line, folder.path, &trained);
    assert_false(tool_regions_apply(&trained));
    tool_trained_fini(&trained);
    temp_folder_remove(&folder);
}

static size_t count_dark(const struct eng_image *canvas)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)canvas->width_px * canvas->height_px; i++)
        n += canvas->pixels[3 * i] == 0;
    return n;
}

static void captions_are_cut_to_their_width(void **state)
{
    (void)state;
    const struct tool_color white = {255, 255, 255}, black = {0, 0, 0};
    struct eng_image canvas, again;
    assert_int_equal(tool_canvas_create(60, 9, white, &canvas, NULL), ENG_OK);
    assert_int_equal(tool_canvas_create(60, 9, white, &again, NULL), ENG_OK);
    tool_caption(&canvas, 1, 1, 17, "1=0...", black);
    tool_caption(&again, 1, 1, 60, "1=0", black);
    assert_int_equal(count_dark(&again), 10 + 10 + 19);
    assert_memory_equal(canvas.pixels, again.pixels, 60 * 9 * 3);
    tool_caption(&canvas, 20, 1, 40, "Ab\x01", black);
    tool_caption(&again, 20, 1, 40, "aB?", black);
    assert_memory_equal(canvas.pixels, again.pixels, 60 * 9 * 3);
    eng_image_fini(&canvas);
    eng_image_fini(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_are_seen),
        cmocka_unit_test(a_regression_has_none),
        cmocka_unit_test(captions_are_cut_to_their_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
