#include "sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_COLUMN_CHARS = 30 };

/* As wide as its name and its values, within bounds. */
static int column_width(const struct tool_sweep_axis *axis)
{
    size_t width = strlen(axis->name);
    for (size_t i = 0; i < axis->n_values; i++)
        if (strlen(axis->values[i]) > width) width = strlen(axis->values[i]);
    return (int)(width < MAX_COLUMN_CHARS ? width : MAX_COLUMN_CHARS);
}

static const char *value_of(const struct tool_sweep *sweep, size_t cell, size_t axis)
{
    return sweep->grid->axes[axis].values[tool_sweep_grid_value(sweep->grid, cell, axis)];
}

void tool_sweep_print_head(const struct tool_sweep *sweep)
{
    printf("   #");
    for (size_t a = 0; a < sweep->grid->n_axes; a++)
        printf("  %*.*s", column_width(&sweep->grid->axes[a]), MAX_COLUMN_CHARS,
               sweep->grid->axes[a].name);
    printf("  %9s  %10s  %9s  %9s  %8s\n", "training", "validation", "test", "gap", "seconds");
}

/* "98.41 %", or a plain number of a regression, or "-". */
static void print_figure(double value, bool is_regression, int width)
{
    if (isnan(value))
        printf("  %*s", width, "-");
    else if (is_regression)
        printf("  %*.4g", width, value);
    else
        printf("  %*.2f %%", width - 2, 100 * value);
}

void tool_sweep_print_row(const struct tool_sweep *sweep, size_t number)
{
    const struct tool_sweep_cell *cell = &sweep->cells[number];
    printf("%4zu", number + 1);
    for (size_t a = 0; a < sweep->grid->n_axes; a++)
        printf("  %*.*s", column_width(&sweep->grid->axes[a]), MAX_COLUMN_CHARS,
               value_of(sweep, number, a));
    if (cell->err.status) {
        printf("  failed: %s\n", cell->err.text);
    } else {
        print_figure(cell->train, cell->is_regression, 9);
        print_figure(cell->validation, cell->is_regression, 10);
        print_figure(cell->test, cell->is_regression, 9);
        print_figure(tool_sweep_gap(cell), cell->is_regression, 9);
        printf("  %8.1f\n", cell->seconds);
    }
    fflush(stdout);
}

/* A value as recipes read it: JSON, or else a text. */
static json_t *value_json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

static json_t *cell_json(const struct tool_sweep *sweep, size_t number)
{
    const struct tool_sweep_cell *cell = &sweep->cells[number];
    json_t *values = json_object();
    for (size_t a = 0; a < sweep->grid->n_axes; a++)
        json_object_set_new(values, sweep->grid->axes[a].name,
                            value_json(value_of(sweep, number, a)));
    if (cell->err.status)
        return json_pack("{s:I, s:o, s:s}", "number", (json_int_t)number + 1, "values", values,
                         "error", cell->err.text);
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:f}", "number", (json_int_t)number + 1,
                     "values", values, "training", tool_json_number(cell->train), "validation",
                     tool_json_number(cell->validation), "test", tool_json_number(cell->test),
                     "gap", tool_json_number(tool_sweep_gap(cell)), "epochs",
                     (json_int_t)cell->n_epochs, "seconds", cell->seconds);
}

json_t *tool_sweep_json(const struct tool_sweep *sweep)
{
    json_t *cells = json_array();
    bool is_regression = false;
    for (size_t i = 0; i < sweep->grid->n_cells; i++) {
        if (!sweep->cells[i].tried) continue;
        is_regression |= sweep->cells[i].is_regression;
        json_array_append_new(cells, cell_json(sweep, i));
    }
    return json_pack("{s:s, s:s, s:o}", "recipe", sweep->recipe_path, "measure",
                     is_regression ? "mean_squared_error" : "accuracy", "cells", cells);
}
