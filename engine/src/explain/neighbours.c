/*
 * The training pictures that a KNearest node finds nearest: the very vote that it counts.
 * Source: kernels/nearest.h, which the node runs too.
 */
#include "explain/neighbours.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/pixels.h"
#include "kernels/nearest.h"
#include "model/model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the model's node holds. */
struct training_set {
    const struct eng_tensor *references, *labels;
    enum eng_distance distance;
};

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

static enum eng_status look_up(const struct eng_model *model, struct training_set *out,
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

enum eng_status eng_explain_check_neighbours(const struct eng_model *model, struct eng_error *err)
{
    struct training_set set;
    return look_up(model, &set, err);
}

static enum eng_status search(const struct training_set *set,
                              const struct eng_explain_request *request, size_t n,
                              struct eng_neighbour *out, struct eng_error *err)
{
    struct eng_nearest nearest = {.distance = set->distance,
                                  .n_queries = 1,
                                  .n_references = (size_t)set->references->shape.dim[0],
                                  .n_features = (size_t)set->references->shape.dim[1],
                                  .k = n,
                                  .references = set->references->data};
    size_t n_bytes;
    void *scratch = NULL;
    if (eng_nearest_scratch_bytes(&nearest, &n_bytes)) scratch = eng_alloc_aligned(n_bytes);
    if (!scratch) return eng_fail_memory(err, "the search for neighbours");
    eng_nearest_run(&nearest, request->sample, out, scratch, request->pool);
    free(scratch);
    return ENG_OK;
}

/* Preprocessing undone: value = (pixel * scale - mean) / std. */
static enum eng_status restore(const struct eng_preprocess *pre, const uint8_t *values,
                               struct eng_image *out, struct eng_error *err)
{
    size_t n = eng_preprocess_channels(pre);
    struct eng_image picture = {pre->width_px, pre->height_px, (uint32_t)n,
                                eng_calloc(eng_preprocess_count(pre), 1)};
    if (!picture.pixels) return eng_fail_memory(err, "a neighbour's picture");
    for (size_t i = 0; i < eng_explain_n_pixels(pre); i++)
        for (size_t c = 0; c < n; c++) {
            double value = values[eng_explain_place(pre, i, c)];
            double pixel =
                (value * (double)pre->std[c] + (double)pre->mean[c]) / (double)pre->scale;
            pixel = pixel > 0 ? (pixel < 255 ? pixel : 255) : 0;
            size_t to = pre->color == ENG_COLOR_BGR ? n - 1 - c : c;
            picture.pixels[i * n + to] = (uint8_t)lround(pixel);
        }
    *out = picture;
    return ENG_OK;
}

static enum eng_status describe(const struct eng_preprocess *pre, const struct training_set *set,
                                const struct eng_neighbour *found,
                                struct eng_explain_neighbour *out, struct eng_error *err)
{
    size_t n_features = (size_t)set->references->shape.dim[1];
    const uint8_t *references = set->references->data;
    out->index = found->index;
    out->class_index = (size_t)eng_int_at(set->labels, found->index);
    out->distance = set->distance == ENG_DISTANCE_L2 ? sqrt(found->distance) : found->distance;
    return restore(pre, references + found->index * n_features, &out->picture, err);
}

enum eng_status eng_explain_find_neighbours(const struct eng_model *model,
                                            const struct eng_explain_request *request,
                                            struct eng_explanation *out, struct eng_error *err)
{
    struct training_set set;
    enum eng_status status = look_up(model, &set, err);
    if (status != ENG_OK) return status;
    size_t n = (size_t)request->neighbours, n_references = (size_t)set.references->shape.dim[0];
    if (n > n_references) n = n_references;
    struct eng_neighbour *found = eng_calloc(n, sizeof *found);
    out->neighbours = eng_calloc(n, sizeof *out->neighbours);
    if (found && out->neighbours)
        status = search(&set, request, n, found, err);
    else
        status = eng_fail_memory(err, "the neighbours");
    for (size_t i = 0; status == ENG_OK && i < n; i++, out->n_neighbours++)
        status =
            describe(&eng_model_card(model)->preprocess, &set, &found[i], &out->neighbours[i], err);
    out->is_l2 = set.distance == ENG_DISTANCE_L2;
    free(found);
    return status;
}
