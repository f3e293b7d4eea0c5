/* The grid: every picture in its place, unharmed by layout, colour order and scale. */
#include "neighbours.h"

#include "canvas.h"
#include "model/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDTH = 3, HEIGHT = 2, N = 3, FEATURES = WIDTH * HEIGHT * 3 };

/* Pictures [H, W, C] in RGB: the first two are near each other. */
static uint8_t pictures[N][FEATURES];

static void fill(void)
{
    for (int i = 0; i < N; i++)
        for (int p = 0; p < FEATURES; p++)
            pictures[i][p] = (uint8_t)(i == 2 ? 255 - 9 * p : 9 * p + 3 * i);
}

/* How a row lies in the model: planes or pixels, RGB or BGR. */
static void lay_out(const uint8_t *picture, bool planes, bool bgr, uint8_t *row)
{
    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        for (size_t c = 0; c < 3; c++)
            row[planes ? c * WIDTH * HEIGHT + i : i * 3 + c] = picture[i * 3 + (bgr ? 2 - c : c)];
}

static struct eng_model *make_model(bool planes, bool bgr)
{
    uint8_t rows[N][FEATURES];
    int32_t classes[N] = {0, 1, 2};
    int in[3], value;
    struct eng_graph graph;
    struct onnx_model onnx;
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model;
    struct eng_error err = {0};
    for (size_t i = 0; i < N; i++)
        lay_out(pictures[i], planes, bgr, rows[i]);
    struct eng_shape shape = {.rank = 4, .dim = {-1, 3, HEIGHT, WIDTH}};
    if (!planes) shape = (struct eng_shape){.rank = 4, .dim = {-1, HEIGHT, WIDTH, 3}};
    struct eng_tensor references = {ENG_UINT8, {.rank = 2, .dim = {N, FEATURES}}, rows};
    struct eng_tensor labels = {ENG_INT32, {.rank = 1, .dim = {N}}, classes};
    const char *const flat[] = {"flat"}, *const out[] = {"y"};
    eng_graph_init(&graph);
    assert_int_equal(eng_graph_add_input(&graph, "x", ENG_FLOAT32, &shape, &value, NULL), ENG_OK);
    assert_int_equal(
        eng_graph_add_node(&graph, "f", "", "Flatten", 13, NULL, 0, &value, 1, flat, 1, NULL),
        ENG_OK);
    in[0] = eng_graph_find(&graph, "flat");
    assert_int_equal(eng_graph_add_constant(&graph, "r", &references, &in[1], NULL), ENG_OK);
    assert_int_equal(eng_graph_add_constant(&graph, "l", &labels, &in[2], NULL), ENG_OK);
    assert_int_equal(
        eng_graph_add_node(&graph, "k", "classifyd", "KNearest", 1, NULL, 0, in, 3, out, 1, NULL),
        ENG_OK);
    assert_int_equal(eng_graph_add_output(&graph, eng_graph_find(&graph, "y"), NULL), ENG_OK);
    assert_int_equal(eng_convert_export(&graph, &onnx, NULL), ENG_OK);
    char preprocess[200];
    snprintf(preprocess, sizeof preprocess,
             "{\"color\":\"%s\",\"layout\":\"%s\",\"width\":%d,\"height\":%d,\"scale\":1,"
             "\"mean\":[0],\"std\":[1]}",
             bgr ? "bgr" : "rgb", planes ? "chw" : "hwc", WIDTH, HEIGHT);
    struct onnx_property property = {"classifyd.preprocess", preprocess};
    onnx.properties = &property;
    onnx.n_properties = 1;
    assert_int_equal(onnx_model_write(&onnx, &bytes, &n_bytes, NULL), ENG_OK);
    if (eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    onnx_model_fini(&onnx);
    eng_graph_fini(&graph);
    free(bytes);
    return model;
}

/* The first pixel of a cell inside its frame, and the frame's. Cells are 96 + 8 + 6 wide. */
static const uint8_t *cell(const struct eng_image *grid, int column, int row, int inside)
{
    int x = 6 + column * (96 + 14) + 4 * inside, y = 6 + row * (64 + 14) + 4 * inside;
    return grid->pixels + ((size_t)y * grid->width_px + (size_t)x) * 3;
}

static void check_grid(bool planes, bool bgr)
{
    struct eng_model *model = make_model(planes, bgr);
    struct eng_image image = {WIDTH, HEIGHT, 3, pictures[1]}, grid;
    struct tool_neighbours neighbours;
    struct eng_error err = {0};
    if (tool_neighbours_find(model, &image, 10, NULL, &neighbours, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(neighbours.found.n_neighbours, N);
    static const uint32_t order[] = {1, 0, 2};
    const struct eng_explain_neighbour *found = neighbours.found.neighbours;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(found[i].index, order[i]);
        assert_int_equal(found[i].class_index, order[i]);
    }
    assert_true(found[1].distance == 3 * FEATURES);
    struct eng_explain_view view = {.picture = &neighbours.asked, .scale = 32};
    assert_int_equal(eng_explanation_draw(&neighbours.found, model, &view, &grid, NULL), ENG_OK);
    assert_int_equal(grid.width_px, 6 + 2 * (96 + 14));
    assert_int_equal(grid.height_px, 6 + 2 * (64 + 14));
    assert_memory_equal(cell(&grid, 0, 0, 1), pictures[1], 3); /* the picture itself */
    for (int i = 0; i < N; i++) {
        int column = (i + 1) % 2, row = (i + 1) / 2;
        struct tool_color color = tool_class_color(order[i]);
        assert_memory_equal(cell(&grid, column, row, 1), pictures[order[i]], 3);
        assert_memory_equal(cell(&grid, column, row, 1) + (size_t)32 * 3, pictures[order[i]] + 3,
                            3);
        assert_memory_equal(cell(&grid, column, row, 0), &color, 3);
    }
    eng_image_fini(&grid);
    tool_neighbours_fini(&neighbours);
    eng_model_destroy(model);
}

static void every_layout_is_drawn_alike(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 4; i++)
        check_grid(i & 1, i & 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layout_is_drawn_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
