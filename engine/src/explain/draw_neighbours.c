/* A picture and its neighbours, in rows. */
#include "explain/draw.h"

#include "explain/colors.h"

#include <math.h>
#include <string.h>

enum { WANTED_PX = 96, FRAME_PX = 4, GAP_PX = 6 };

static const uint8_t ASKED[3] = {64, 64, 64}, GROUND[3] = {255, 255, 255};

struct grid {
    struct eng_image *out;
    uint32_t scale, n_columns;
    uint32_t cell_width_px, cell_height_px; /* with frame and gap */
};

static void fill(struct eng_image *out, uint32_t left, uint32_t top, uint32_t width,
                 uint32_t height, const uint8_t color[3])
{
    for (uint32_t y = top; y < top + height; y++)
        for (uint32_t x = left; x < left + width; x++)
            memcpy(out->pixels + ((size_t)y * out->width_px + x) * 3, color, 3);
}

static void draw_picture(const struct grid *grid, uint32_t left, uint32_t top,
                         const struct eng_image *picture)
{
    for (uint32_t y = 0; y < picture->height_px; y++)
        for (uint32_t x = 0; x < picture->width_px; x++) {
            const uint8_t *from =
                picture->pixels + ((size_t)y * picture->width_px + x) * picture->n_channels;
            bool grey = picture->n_channels < 3;
            uint8_t color[3] = {from[0], from[grey ? 0 : 1], from[grey ? 0 : 2]};
            fill(grid->out, left + x * grid->scale, top + y * grid->scale, grid->scale, grid->scale,
                 color);
        }
}

static void draw_cell(const struct grid *grid, size_t i, const uint8_t frame[3],
                      const struct eng_image *picture)
{
    uint32_t left = GAP_PX + (uint32_t)(i % grid->n_columns) * grid->cell_width_px;
    uint32_t top = GAP_PX + (uint32_t)(i / grid->n_columns) * grid->cell_height_px;
    fill(grid->out, left, top, grid->cell_width_px - GAP_PX, grid->cell_height_px - GAP_PX, frame);
    draw_picture(grid, left + FRAME_PX, top + FRAME_PX, picture);
}

enum eng_status eng_explain_draw_neighbours(const struct eng_explanation *explanation,
                                            const struct eng_explain_view *view,
                                            struct eng_image *out, struct eng_error *err)
{
    const struct eng_image *asked = view->picture;
    size_t n_cells = explanation->n_neighbours + 1;
    struct eng_image canvas;
    struct grid grid = {.out = &canvas, .n_columns = (uint32_t)ceil(sqrt((double)n_cells))};
    enum eng_status status = eng_explain_choose_scale(view, asked->width_px, asked->height_px,
                                                      WANTED_PX, &grid.scale, err);
    if (status != ENG_OK) return status;
    uint64_t n_rows = (n_cells + grid.n_columns - 1) / grid.n_columns;
    grid.cell_width_px = grid.scale * asked->width_px + 2 * FRAME_PX + GAP_PX;
    grid.cell_height_px = grid.scale * asked->height_px + 2 * FRAME_PX + GAP_PX;
    status = eng_explain_create_drawing((uint64_t)grid.n_columns * grid.cell_width_px + GAP_PX,
                                        n_rows * grid.cell_height_px + GAP_PX, &canvas, err);
    if (status != ENG_OK) return status;
    fill(&canvas, 0, 0, canvas.width_px, canvas.height_px, GROUND);
    draw_cell(&grid, 0, ASKED, asked);
    for (size_t i = 0; i < explanation->n_neighbours; i++) {
        const struct eng_explain_neighbour *neighbour = &explanation->neighbours[i];
        struct eng_explain_color frame = eng_explain_class_color(neighbour->class_index);
        draw_cell(&grid, i + 1, frame.rgb, &neighbour->picture);
    }
    *out = canvas;
    return ENG_OK;
}
