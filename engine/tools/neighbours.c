#include "neighbours.h"

#include "base/error.h"
#include "base/mem.h"
#include "canvas.h"

#include <math.h>
#include <stdlib.h>

enum eng_status tool_neighbours_find(const struct eng_model *model, const struct eng_image *image,
                                     size_t n, struct eng_pool *pool, struct tool_neighbours *out,
                                     struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(model);
    const struct eng_preprocess *pre = &card->preprocess;
    struct eng_explain_request request = eng_explain_defaults();
    *out = (struct tool_neighbours){.labels = card->labels};
    enum eng_status status =
        eng_explain_choose(model, ENG_EXPLAIN_NEIGHBOURS, &request.method, err);
    if (status != ENG_OK) return status;
    float *sample = eng_calloc(eng_preprocess_count(pre), sizeof *sample);
    if (!sample) return eng_fail_memory(err, "the picture");
    request.sample = sample;
    request.neighbours = (int64_t)n;
    request.pool = pool;
    status = eng_preprocess_picture(pre, image, &out->asked, err);
    if (status == ENG_OK) {
        eng_preprocess_bytes(pre, out->asked.pixels, sample);
        status = eng_explain(model, &request, &out->found, err);
    }
    free(sample);
    return status;
}

void tool_neighbours_fini(struct tool_neighbours *neighbours)
{
    eng_image_fini(&neighbours->asked);
    eng_explanation_fini(&neighbours->found);
    *neighbours = (struct tool_neighbours){0};
}

enum { WANTED_PX = 96, FRAME_PX = 4, GAP_PX = 6 };

struct grid {
    struct eng_image *canvas;
    int scale, columns;
    int cell_width_px, cell_height_px; /* with frame and gap */
};

static void draw_cell(const struct grid *grid, size_t cell, struct tool_color frame,
                      const struct eng_image *picture)
{
    int x = GAP_PX + (int)cell % grid->columns * grid->cell_width_px;
    int y = GAP_PX + (int)cell / grid->columns * grid->cell_height_px;
    tool_canvas_fill(grid->canvas, x, y, grid->cell_width_px - GAP_PX,
                     grid->cell_height_px - GAP_PX, frame);
    tool_canvas_picture(grid->canvas, x + FRAME_PX, y + FRAME_PX, grid->scale, picture);
}

enum eng_status tool_neighbours_draw(const struct tool_neighbours *neighbours,
                                     struct eng_image *out, struct eng_error *err)
{
    const struct eng_image *asked = &neighbours->asked;
    const struct eng_explain_neighbour *list = neighbours->found.neighbours;
    size_t n_cells = neighbours->found.n_neighbours + 1;
    struct eng_image canvas;
    struct grid grid = {.canvas = &canvas,
                        .scale = tool_canvas_scale(asked->width_px, asked->height_px, WANTED_PX),
                        .columns = (int)ceil(sqrt((double)n_cells))};
    size_t n_rows = (n_cells + (size_t)grid.columns - 1) / (size_t)grid.columns;
    grid.cell_width_px = grid.scale * (int)asked->width_px + 2 * FRAME_PX + GAP_PX;
    grid.cell_height_px = grid.scale * (int)asked->height_px + 2 * FRAME_PX + GAP_PX;
    enum eng_status status =
        tool_canvas_create((uint32_t)(grid.columns * grid.cell_width_px + GAP_PX),
                           (uint32_t)n_rows * (uint32_t)grid.cell_height_px + GAP_PX,
                           (struct tool_color){255, 255, 255}, &canvas, err);
    if (status != ENG_OK) return status;
    draw_cell(&grid, 0, (struct tool_color){64, 64, 64}, asked);
    for (size_t i = 0; i + 1 < n_cells; i++)
        draw_cell(&grid, i + 1, tool_class_color(list[i].class_index), &list[i].picture);
    *out = canvas;
    return ENG_OK;
}
