/* Every allocation fails once: a canvas, and the grid of a sweep. */
#include "failing_malloc.h"

#include "canvas.h"
#include "sweep_grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static enum eng_status draw(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct eng_image canvas = {0};
    const struct tool_color white = {255, 255, 255};
    enum eng_status status = tool_canvas_create(40, 30, white, &canvas, err);
    if (status == ENG_OK) tool_canvas_dot(&canvas, 20, 20, 5, (struct tool_color){0, 0, 0});
    eng_image_fini(&canvas);
    return status;
}

static enum eng_status read_grid(void *ctx, struct eng_error *err)
{
    struct tool_sweep_grid grid;
    enum eng_status status = tool_sweep_grid_read(ctx, &grid, err);
    if (status == ENG_OK) tool_sweep_grid_fini(&grid);
    return status;
}

static void pictures_and_grids(void **state)
{
    (void)state;
    static struct tool_texts vary = {2, {"hidden=3,6,20", "layers.0.kernel_shape=[3,3],[5,5]"}};
    assert_true(failing_malloc_sweep(draw, NULL) > 0);
    assert_true(failing_malloc_sweep(read_grid, &vary) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_and_grids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
