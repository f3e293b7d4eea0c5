#include "sweep_grid.h"

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes up to the comma that ends a value, or to the end. */
static size_t value_length(const char *text)
{
    int depth = 0;
    bool quoted = false;
    size_t n = 0;
    for (; text[n]; n++) {
        if (text[n] == '"') quoted = !quoted;
        if (quoted) continue;
        if (strchr("[{", text[n])) depth++;
        if (strchr("]}", text[n])) depth--;
        if (text[n] == ',' && depth <= 0) break;
    }
    return n;
}

/* Counts the values; with lists allocated, fills them too. */
static enum eng_status read_values(const char *text, const char *list, struct eng_arena *arena,
                                   struct tool_sweep_axis *axis, struct eng_error *err)
{
    size_t name_length = strlen(axis->name);
    axis->n_values = 0;
    for (const char *at = list;; at++) {
        size_t length = value_length(at);
        if (length == 0)
            return eng_fail(err, ENG_ARGUMENT,
                            "--vary %.100s: a value is empty; wanted NAME=VALUE,VALUE...", text);
        if (axis->values) {
            char *setting = eng_arena_alloc(arena, name_length + length + 2, 1);
            if (!setting) return eng_fail_memory(err, "the sweep");
            memcpy(setting, axis->name, name_length);
            setting[name_length] = '=';
            memcpy(setting + name_length + 1, at, length);
            axis->settings[axis->n_values] = setting;
            axis->values[axis->n_values] = setting + name_length + 1;
        }
        axis->n_values++;
        at += length;
        if (!*at) return ENG_OK;
    }
}

static enum eng_status read_axis(const char *text, struct eng_arena *arena,
                                 struct tool_sweep_axis *axis, struct eng_error *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return eng_fail(err, ENG_ARGUMENT,
                        "--vary %.100s: wanted NAME=VALUE,VALUE..., such as hidden=3,6,20", text);
    axis->name = eng_arena_string(arena, text, (size_t)(equals - text));
    if (!axis->name) return eng_fail_memory(err, "the sweep");
    enum eng_status status = read_values(text, equals + 1, arena, axis, err);
    if (status != ENG_OK) return status;
    if (axis->n_values > TOOL_SWEEP_MAX_CELLS)
        return eng_fail(err, ENG_LIMIT, "--vary %.60s: %zu values, at most %d are tried",
                        axis->name, axis->n_values, TOOL_SWEEP_MAX_CELLS);
    axis->values = eng_arena_alloc(arena, axis->n_values, sizeof *axis->values);
    axis->settings = eng_arena_alloc(arena, axis->n_values, sizeof *axis->settings);
    if (!axis->values || !axis->settings) return eng_fail_memory(err, "the sweep");
    return read_values(text, equals + 1, arena, axis, err);
}

static enum eng_status add_axis(struct tool_sweep_grid *grid, const char *text,
                                struct eng_error *err)
{
    struct tool_sweep_axis *axis = &grid->axes[grid->n_axes];
    enum eng_status status = read_axis(text, &grid->arena, axis, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < grid->n_axes; i++)
        if (strcmp(grid->axes[i].name, axis->name) == 0)
            return eng_fail(err, ENG_ARGUMENT,
                            "--vary %.60s stands twice; wanted all its values "
                            "in one list",
                            axis->name);
    grid->n_axes++;
    grid->n_cells *= axis->n_values;
    if (grid->n_cells > TOOL_SWEEP_MAX_CELLS)
        return eng_fail(err, ENG_LIMIT, "%zu combinations, at most %d are tried", grid->n_cells,
                        TOOL_SWEEP_MAX_CELLS);
    return ENG_OK;
}

enum eng_status tool_sweep_grid_read(const struct tool_texts *vary, struct tool_sweep_grid *out,
                                     struct eng_error *err)
{
    struct tool_sweep_grid grid = {.n_cells = 1};
    enum eng_status status = ENG_OK;
    if (vary->n == 0 || vary->n > TOOL_SWEEP_MAX_AXES)
        return eng_fail(err, ENG_ARGUMENT, "--vary is given %zu times; wanted 1 to %d", vary->n,
                        TOOL_SWEEP_MAX_AXES);
    eng_arena_init(&grid.arena);
    for (size_t i = 0; i < vary->n && status == ENG_OK; i++)
        status = add_axis(&grid, vary->v[i], err);
    if (status == ENG_OK)
        *out = grid;
    else
        eng_arena_fini(&grid.arena);
    return status;
}

void tool_sweep_grid_fini(struct tool_sweep_grid *grid)
{
    eng_arena_fini(&grid->arena);
    memset(grid, 0, sizeof *grid);
}

size_t tool_sweep_grid_value(const struct tool_sweep_grid *grid, size_t cell, size_t axis)
{
    for (size_t a = grid->n_axes; a-- > axis + 1;)
        cell /= grid->axes[a].n_values;
    return cell % grid->axes[axis].n_values;
}
