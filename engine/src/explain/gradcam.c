/*
 * Grad-CAM: the channels of the last feature map A [C, h, w], weighted by how the class's score
 * grows with each, and what is for the class kept.
 *
 *     weight[c] = mean over positions of d score / d A[c, i, j]
 *     map[i, j] = max(0, sum over c of weight[c] * A[c, i, j])
 *
 * enlarged bilinearly to the model's picture (pixel centres at half numbers, borders repeated).
 * Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
 * Localization" (2017), equations 1 and 2.
 */
#include "base/error.h"
#include "base/mem.h"
#include "explain/layer.h"
#include "explain/map.h"
#include "explain/net.h"

#include <math.h>
#include <stdlib.h>

enum eng_status eng_explain_check_gradcam(const struct eng_model *model, struct eng_error *err)
{
    int layer;
    enum eng_status status = eng_explain_find_layer(model, &layer, err);
    return status == ENG_OK ? eng_explain_gradient_check(model, layer, err) : status;
}

/* map [h x w], zeroed: the sum before what lies below 0 is dropped. */
static void weigh(const struct eng_tensor *features, const float *gradients, double *map)
{
    const float *data = features->data;
    size_t n_positions = (size_t)(features->shape.dim[2] * features->shape.dim[3]);
    for (int64_t c = 0; c < features->shape.dim[1]; c++) {
        const float *a = data + (size_t)c * n_positions, *g = gradients + (size_t)c * n_positions;
        double weight = 0;
        for (size_t i = 0; i < n_positions; i++)
            weight += (double)g[i];
        weight /= (double)n_positions;
        for (size_t i = 0; i < n_positions; i++)
            map[i] += weight * (double)a[i];
    }
}

/* Where pixel i of n_out lies among n_in, and how far from one to the next. */
static size_t between(size_t i, size_t n_out, size_t n_in, double *share)
{
    double at = ((double)i + 0.5) * (double)n_in / (double)n_out - 0.5;
    at = at > 0 ? at < (double)(n_in - 1) ? at : (double)(n_in - 1) : 0;
    *share = at - floor(at);
    return (size_t)at;
}

static void enlarge(const double *map, size_t width, size_t height, struct eng_explanation *out)
{
    for (size_t y = 0; y < out->height_px; y++) {
        double down, across;
        size_t top = between(y, out->height_px, height, &down);
        size_t bottom = top + 1 < height ? top + 1 : top;
        for (size_t x = 0; x < out->width_px; x++) {
            size_t left = between(x, out->width_px, width, &across);
            size_t right = left + 1 < width ? left + 1 : left;
            double above =
                map[top * width + left] * (1 - across) + map[top * width + right] * across;
            double below =
                map[bottom * width + left] * (1 - across) + map[bottom * width + right] * across;
            out->map[y * out->width_px + x] = (float)(above * (1 - down) + below * down);
        }
    }
}

static enum eng_status make_map(struct eng_explain_net *net, struct eng_explanation *out,
                                struct eng_error *err)
{
    const struct eng_tensor *features = eng_exec_value(net->exec, net->source);
    size_t height = (size_t)features->shape.dim[2], width = (size_t)features->shape.dim[3];
    double *map = eng_calloc(height * width, sizeof *map);
    if (!map) return eng_fail_memory(err, "a feature map");
    weigh(features, eng_explain_net_gradient(net, 0, 1, out->class_index), map);
    for (size_t i = 0; i < height * width; i++)
        map[i] = map[i] > 0 ? map[i] : 0;
    enlarge(map, width, height, out);
    free(map);
    out->layer_width = (uint32_t)width;
    out->layer_height = (uint32_t)height;
    return ENG_OK;
}

enum eng_status eng_explain_gradcam(const struct eng_model *model,
                                    const struct eng_explain_request *request,
                                    struct eng_explanation *out, struct eng_error *err)
{
    struct eng_explain_net net;
    int layer;
    enum eng_status status = eng_explain_find_layer(model, &layer, err);
    if (status != ENG_OK) return status;
    status = eng_explain_gradient_create(model, layer, 1, request->pool, &net, err);
    struct eng_explain_progress progress = {.request = request, .n_all = 1};
    if (status == ENG_OK) status = eng_explain_go_on(&progress, err);
    if (status == ENG_OK) {
        eng_explain_net_put(&net, 0, request->sample);
        eng_explain_net_run(&net);
        out->score = eng_explain_net_score(&net, 0, out->class_index);
        status = make_map(&net, out, err);
    }
    out->layer_name = model->graph.values[layer].name;
    out->n_runs++;
    eng_explain_net_fini(&net);
    return status;
}
