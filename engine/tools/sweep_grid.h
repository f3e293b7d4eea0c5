/* What a sweep tries: every combination of some settings' values. */
#ifndef TOOLS_SWEEP_GRID_H
#define TOOLS_SWEEP_GRID_H

#include "base/arena.h"
#include "engine/status.h"
#include "options.h"

#include <stddef.h>

enum { TOOL_SWEEP_MAX_AXES = 8, TOOL_SWEEP_MAX_CELLS = 1000 };

/* One --vary: "hidden=3,6,20". */
struct tool_sweep_axis {
    const char *name;
    const char **values;   /* [n_values] */
    const char **settings; /* [n_values] "name=value", as recipes take them */
    size_t n_values;
};

struct tool_sweep_grid {
    struct eng_arena arena; /* all texts */
    struct tool_sweep_axis axes[TOOL_SWEEP_MAX_AXES];
    size_t n_axes;
    size_t n_cells; /* the product of all n_values */
};

/*
 * Purpose: reads the axes. Commas inside of [], {} and "" do not divide: kernel_shape=[3,3],[5,5]
 *          are two values.
 * Ownership: on success end with tool_sweep_grid_fini.
 * Errors: ARGUMENT: no axis or too many, no '=', an empty value, a name that stands twice; LIMIT:
 *         more than TOOL_SWEEP_MAX_CELLS; NO_MEMORY.
 */
enum eng_status tool_sweep_grid_read(const struct tool_texts *vary, struct tool_sweep_grid *out,
                                     struct eng_error *err);
void tool_sweep_grid_fini(struct tool_sweep_grid *grid);

/* Purpose: which value of the axis cell i < n_cells has; the last axis changes fastest. */
size_t tool_sweep_grid_value(const struct tool_sweep_grid *grid, size_t cell, size_t axis);

#endif
