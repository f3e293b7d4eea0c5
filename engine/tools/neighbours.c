#include "neighbours.h"

#include "base/error.h"
#include "base/mem.h"
#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether the value is the graph's input, at most under another shape. */
static bool is_input(const struct eng_graph *graph, int value)
{
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        if (node->out[0] == value && node->op->flags & ENG_OP_VIEW) value = node->in[0];
    }
    return graph->values[value].kind == ENG_VALUE_INPUT;
}

static const struct eng_node *find_node(const struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].op->name, "KNearest") == 0) return &graph->nodes[i];
    return NULL;
}

/* As the file would say it: the first distance is the default, which is not written. */
static enum eng_distance distance_of(const struct eng_node *node, struct eng_attr *written)
{
    size_t n = eng_attrs_write(node->op, node->attrs, written);
    for (size_t i = 0; i < n; i++)
        if (strcmp(written[i].name, "distance") == 0 && strcmp(written[i].s, "L2") == 0)
            return ENG_DISTANCE_L2;
    return ENG_DISTANCE_L1;
}

static enum eng_status look_up(const struct eng_model *model, struct tool_neighbours *out,
                               struct eng_error *err)
{
    const struct eng_graph *graph = &model->graph;
    const struct eng_node *node = find_node(graph);
    if (!node)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the model has no neighbours; wanted one with a node KNearest");
    if (!is_input(graph, node->in[0]))
        return eng_node_fail(node,
                             eng_fail(err, ENG_UNSUPPORTED,
                                      "it compares values computed by other nodes; wanted the "
                                      "picture itself"),
                             err);
    struct eng_attr *written = eng_calloc(node->op->n_attrs, sizeof *written);
    if (!written) return eng_fail_memory(err, "the node's attributes");
    out->distance = distance_of(node, written);
    free(written);
    out->references = &graph->values[node->in[1]].tensor;
    out->labels = &graph->values[node->in[2]].tensor;
    return ENG_OK;
}

static enum eng_status search(struct tool_neighbours *out, struct eng_pool *pool,
                              struct eng_error *err)
{
    struct eng_nearest nearest = {.distance = out->distance,
                                  .n_queries = 1,
                                  .n_references = (size_t)out->references->shape.dim[0],
                                  .n_features = (size_t)out->references->shape.dim[1],
                                  .k = out->n,
                                  .references = out->references->data};
    size_t n_bytes;
    void *scratch = NULL;
    if (eng_nearest_scratch_bytes(&nearest, &n_bytes)) scratch = eng_alloc_aligned(n_bytes);
    out->nearest = eng_calloc(out->n, sizeof *out->nearest);
    enum eng_status status = ENG_OK;
    if (scratch && out->nearest)
        eng_nearest_run(&nearest, out->sample, out->nearest, scratch, pool);
    else
        status = eng_fail_memory(err, "the neighbours");
    free(scratch);
    return status;
}

enum eng_status tool_neighbours_find(const struct eng_model *model, const struct eng_image *image,
                                     size_t n, struct eng_pool *pool, struct tool_neighbours *out,
                                     struct eng_error *err)
{
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    *out = (struct tool_neighbours){.model = model};
    enum eng_status status = look_up(model, out, err);
    if (status != ENG_OK) return status;
    size_t n_references = (size_t)out->references->shape.dim[0];
    out->n = n < n_references ? n : n_references;
    out->sample = eng_calloc(eng_preprocess_count(pre), sizeof *out->sample);
    if (!out->sample) return eng_fail_memory(err, "the picture");
    status = eng_preprocess_image(pre, image, out->sample, err);
    return status == ENG_OK ? search(out, pool, err) : status;
}

void tool_neighbours_fini(struct tool_neighbours *neighbours)
{
    free(neighbours->sample);
    free(neighbours->nearest);
    *neighbours = (struct tool_neighbours){0};
}

size_t tool_neighbours_class(const struct tool_neighbours *neighbours, size_t i)
{
    const struct eng_tensor *labels = neighbours->labels;
    uint32_t index = neighbours->nearest[i].index;
    return labels->dtype == ENG_INT64 ? (size_t)((const int64_t *)labels->data)[index]
                                      : (size_t)((const int32_t *)labels->data)[index];
}

double tool_neighbours_distance(const struct tool_neighbours *neighbours, size_t i)
{
    double distance = neighbours->nearest[i].distance;
    return neighbours->distance == ENG_DISTANCE_L2 ? sqrt(distance) : distance;
}

/* ---- the picture ---- */

/* Where channel c of pixel i stands in a prepared sample. */
static size_t place_of(const struct eng_preprocess *pre, size_t i, size_t c)
{
    size_t n_pixels = (size_t)pre->width_px * pre->height_px;
    size_t n_channels = eng_preprocess_channels(pre);
    return pre->layout == ENG_LAYOUT_CHW ? c * n_pixels + i : i * n_channels + c;
}

/* Preprocessing undone: value = (pixel * scale - mean) / std. bytes NULL: the values are sample. */
static void restore(const struct eng_preprocess *pre, const uint8_t *bytes, const float *sample,
                    struct eng_image *out)
{
    size_t n_pixels = (size_t)pre->width_px * pre->height_px, n = out->n_channels;
    for (size_t i = 0; i < n_pixels; i++)
        for (size_t c = 0; c < n; c++) {
            size_t place = place_of(pre, i, c);
            double value = bytes ? bytes[place] : (double)sample[place];
            double pixel =
                (value * (double)pre->std[c] + (double)pre->mean[c]) / (double)pre->scale;
            pixel = pixel > 0 ? (pixel < 255 ? pixel : 255) : 0;
            size_t to = pre->color == ENG_COLOR_BGR ? n - 1 - c : c;
            out->pixels[i * n + to] = (uint8_t)lround(pixel);
        }
}

enum { WANTED_PX = 96, FRAME_PX = 4, GAP_PX = 6 };

struct grid {
    const struct tool_neighbours *neighbours;
    const struct eng_preprocess *pre;
    struct eng_image picture; /* one, as it is drawn next */
    int scale, columns;
    int cell_width_px, cell_height_px; /* with frame and gap */
};

static void draw_cell(const struct grid *grid, size_t cell, struct tool_color frame,
                      struct eng_image *out)
{
    int x = GAP_PX + (int)cell % grid->columns * grid->cell_width_px;
    int y = GAP_PX + (int)cell / grid->columns * grid->cell_height_px;
    tool_canvas_fill(out, x, y, grid->cell_width_px - GAP_PX, grid->cell_height_px - GAP_PX, frame);
    tool_canvas_picture(out, x + FRAME_PX, y + FRAME_PX, grid->scale, &grid->picture);
}

static void draw_cells(struct grid *grid, struct eng_image *out)
{
    const struct tool_neighbours *neighbours = grid->neighbours;
    const uint8_t *references = neighbours->references->data;
    size_t n_features = (size_t)neighbours->references->shape.dim[1];
    restore(grid->pre, NULL, neighbours->sample, &grid->picture);
    draw_cell(grid, 0, (struct tool_color){64, 64, 64}, out);
    for (size_t i = 0; i < neighbours->n; i++) {
        restore(grid->pre, references + neighbours->nearest[i].index * n_features, NULL,
                &grid->picture);
        draw_cell(grid, i + 1, tool_class_color(tool_neighbours_class(neighbours, i)), out);
    }
}

enum eng_status tool_neighbours_draw(const struct tool_neighbours *neighbours,
                                     struct eng_image *out, struct eng_error *err)
{
    const struct eng_preprocess *pre = &eng_model_card(neighbours->model)->preprocess;
    size_t n_cells = neighbours->n + 1;
    struct grid grid = {.neighbours = neighbours,
                        .pre = pre,
                        .picture = {pre->width_px, pre->height_px, eng_preprocess_channels(pre),
                                    eng_calloc(eng_preprocess_count(pre), 1)},
                        .scale = tool_canvas_scale(pre->width_px, pre->height_px, WANTED_PX),
                        .columns = (int)ceil(sqrt((double)n_cells))};
    if (!grid.picture.pixels) return eng_fail_memory(err, "a picture");
    size_t n_rows = (n_cells + (size_t)grid.columns - 1) / (size_t)grid.columns;
    grid.cell_width_px = grid.scale * (int)pre->width_px + 2 * FRAME_PX + GAP_PX;
    grid.cell_height_px = grid.scale * (int)pre->height_px + 2 * FRAME_PX + GAP_PX;
    struct eng_image canvas;
    enum eng_status status =
        tool_canvas_create((uint32_t)(grid.columns * grid.cell_width_px + GAP_PX),
                           (uint32_t)n_rows * (uint32_t)grid.cell_height_px + GAP_PX,
                           (struct tool_color){255, 255, 255}, &canvas, err);
    if (status == ENG_OK) {
        draw_cells(&grid, &canvas);
        *out = canvas;
    }
    eng_image_fini(&grid.picture);
    return status;
}
