#include "caption.h"
#include "regions.h"
#include "sweep.h"

#include <math.h>
#include <stdio.h>

enum {
    SIDE_PX = 246,
    SMALL_SIDE_PX = 126,
    MANY_CELLS = 100, /* above this the squares are small */
    GAP_PX = 10,
    LINE_PX = 11,
    CAPTION_PX = 2 * LINE_PX + 4,
};

static const struct tool_color white = {255, 255, 255}, dark = {40, 40, 40};

static int side_of(const struct tool_sweep *sweep)
{
    return sweep->grid->n_cells > MANY_CELLS ? SMALL_SIDE_PX : SIDE_PX;
}

static size_t columns_of(const struct tool_sweep *sweep)
{
    return sweep->grid->axes[sweep->grid->n_axes - 1].n_values;
}

/* Of a cell's square, with its caption. */
static void find_corner(const struct tool_sweep *sweep, size_t number, int *x, int *y)
{
    int side = side_of(sweep);
    *x = GAP_PX + (int)(number % columns_of(sweep)) * (side + GAP_PX);
    *y = GAP_PX + (int)(number / columns_of(sweep)) * (side + CAPTION_PX + GAP_PX);
}

static enum eng_status create(struct tool_sweep *sweep, struct eng_error *err)
{
    uint32_t columns = (uint32_t)columns_of(sweep);
    uint32_t rows = (uint32_t)sweep->grid->n_cells / columns;
    uint32_t side = (uint32_t)side_of(sweep);
    return tool_canvas_create(GAP_PX + columns * (side + GAP_PX),
                              GAP_PX + rows * (side + CAPTION_PX + GAP_PX), white, &sweep->regions,
                              err);
}

/* "hidden=3 l2=0.01" and "training 99.7 %, test 96.3 %" */
static void write_caption(struct tool_sweep *sweep, size_t number)
{
    char text[200] = "";
    size_t used = 0;
    int x, y;
    const struct tool_sweep_cell *cell = &sweep->cells[number];
    for (size_t a = 0; a < sweep->grid->n_axes && used < sizeof text; a++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, "%s%s", a ? " " : "",
            sweep->grid->axes[a].settings[tool_sweep_grid_value(sweep->grid, number, a)]);
    find_corner(sweep, number, &x, &y);
    tool_caption(&sweep->regions, x, y, side_of(sweep), text, dark);
    bool validated = !isnan(cell->validation);
    if (cell->err.status)
        snprintf(text, sizeof text, "failed");
    else
        snprintf(text, sizeof text, "training %.1f%%, %s %.1f%%", 100 * cell->train,
                 validated ? "validation" : "test",
                 100 * (validated ? cell->validation : cell->test));
    tool_caption(&sweep->regions, x, y + LINE_PX, side_of(sweep), text, dark);
}

enum eng_status tool_sweep_draw_regions(struct tool_sweep *sweep, size_t number,
                                        const struct tool_trained *trained, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (!tool_regions_apply(trained)) return ENG_OK;
    if (!sweep->regions.pixels) status = create(sweep, err);
    if (status != ENG_OK) return status;
    int x, y;
    find_corner(sweep, number, &x, &y);
    write_caption(sweep, number);
    return tool_regions_draw(trained, &sweep->regions, x, y + CAPTION_PX - 2, side_of(sweep), err);
}

void tool_sweep_caption_failures(struct tool_sweep *sweep)
{
    if (!sweep->regions.pixels) return;
    for (size_t i = 0; i < sweep->grid->n_cells; i++)
        if (sweep->cells[i].err.status) write_caption(sweep, i);
}
