/* The grid of a sweep: values, combinations, and every way to ask wrongly. */
#include "sweep_grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_combination_once(void **state)
{
    (void)state;
    static const struct tool_texts vary = {3, {"hidden=3,6,20", "l2=0,1e-3", "name=only"}};
    static const char *const wanted[6] = {"hidden=3 l2=0",  "hidden=3 l2=1e-3",
                                          "hidden=6 l2=0",  "hidden=6 l2=1e-3",
                                          "hidden=20 l2=0", "hidden=20 l2=1e-3"};
    struct tool_sweep_grid grid;
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, NULL), ENG_OK);
    assert_int_equal(grid.n_cells, 6);
    assert_int_equal(grid.n_axes, 3);
    for (size_t cell = 0; cell < 6; cell++) {
        char text[64];
        snprintf(text, sizeof text, "%s %s",
                 grid.axes[0].settings[tool_sweep_grid_value(&grid, cell, 0)],
                 grid.axes[1].settings[tool_sweep_grid_value(&grid, cell, 1)]);
        assert_string_equal(text, wanted[cell]);
        assert_int_equal(tool_sweep_grid_value(&grid, cell, 2), 0);
    }
    assert_string_equal(grid.axes[0].values[2], "20");
    tool_sweep_grid_fini(&grid);
}

static void commas_inside_do_not_divide(void **state)
{
    (void)state;
    static const struct tool_texts vary = {
        1, {"layers.0={\"op\": \"Conv\", \"pads\": [1,1]},\"a,b\",[[1,2],[3]],]x"}};
    struct tool_sweep_grid grid;
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, NULL), ENG_OK);
    assert_int_equal(grid.n_cells, 4);
    assert_string_equal(grid.axes[0].values[0], "{\"op\": \"Conv\", \"pads\": [1,1]}");
    assert_string_equal(grid.axes[0].values[1], "\"a,b\"");
    assert_string_equal(grid.axes[0].settings[2], "layers.0=[[1,2],[3]]");
    assert_string_equal(grid.axes[0].values[3], "]x");
    tool_sweep_grid_fini(&grid);
}

static const struct {
    const char *vary[3], *sentence;
} wrong[] = {
    {{"hidden"}, "--vary hidden: wanted NAME=VALUE,VALUE..."},
    {{"=3"}, "--vary =3: wanted NAME=VALUE"},
    {{"hidden="}, "a value is empty"},
    {{"hidden=3,"}, "a value is empty"},
    {{"hidden=,3"}, "a value is empty"},
    {{"hidden=3", "l2=0", "hidden=4"}, "--vary hidden stands twice"},
};

static void wrong_axes_are_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tool_texts vary = {0};
        struct tool_sweep_grid grid;
        struct eng_error err = {0};
        for (; vary.n < 3 && wrong[i].vary[vary.n]; vary.n++)
            vary.v[vary.n] = wrong[i].vary[vary.n];
        assert_int_equal(tool_sweep_grid_read(&vary, &grid, &err), ENG_ARGUMENT);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("'%s'; wanted '%s'", err.text, wrong[i].sentence);
    }
}

static void grids_are_bounded(void **state)
{
    (void)state;
    static const char ten[] = "0,1,2,3,4,5,6,7,8,9";
    char axes[9][64];
    struct tool_texts vary = {0};
    struct tool_sweep_grid grid;
    struct eng_error err = {0};
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "--vary is given 0 times; wanted 1 to 8"));
    for (; vary.n < 9; vary.n++) {
        snprintf(axes[vary.n], sizeof axes[0], "a%zu=%s", vary.n, vary.n < 3 ? ten : "1");
        vary.v[vary.n] = axes[vary.n];
    }
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, NULL), ENG_ARGUMENT);
    vary.n = 8;
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, NULL), ENG_OK);
    assert_int_equal(grid.n_cells, 1000);
    tool_sweep_grid_fini(&grid);
    vary.v[7] = "b=1,2";
    err = (struct eng_error){0};
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, "2000 combinations, at most 1000"));
    static char many[4100] = "n=1";
    for (size_t i = 3; i < 4090; i += 2)
        memcpy(many + i, ",1", 3);
    vary = (struct tool_texts){1, {many}};
    assert_int_equal(tool_sweep_grid_read(&vary, &grid, NULL), ENG_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_once),
        cmocka_unit_test(commas_inside_do_not_divide),
        cmocka_unit_test(wrong_axes_are_sentences),
        cmocka_unit_test(grids_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
