#include "train/input.h"

#include "base/error.h"
#include "base/mem.h"

#include "train/layer.h"
#include "train/standardise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers, so that the sums are exact: 2^32 bytes x 255^2 stay below 2^64. */
struct moments {
    uint64_t sum, sum_of_squares;
};

static void measure(const struct eng_dataset *set, struct moments moments[3])
{
    size_t n_bytes = set->n * eng_dataset_sample_bytes(set);
    for (size_t c = 0; c < set->n_channels; c++)
        for (size_t i = c; i < n_bytes; i += set->n_channels) {
            uint64_t pixel = set->pixels[i];
            moments[c].sum += pixel;
            moments[c].sum_of_squares += pixel * pixel;
        }
}

static enum eng_status standardise(const struct eng_dataset *train, struct eng_preprocess *pre,
                                   struct eng_error *err)
{
    struct moments moments[3] = {0};
    double n = (double)train->n * train->width_px * train->height_px;
    measure(train, moments);
    for (size_t c = 0; c < train->n_channels; c++) {
        double mean = (double)moments[c].sum / n;
        double variance = (double)moments[c].sum_of_squares / n - mean * mean;
        if (!(variance > 0))
            return eng_fail(
                err, ENG_FORMAT,
                "channel %zu is %.0f in every training picture; wanted pixels that vary", c, mean);
        pre->mean[c] = (float)(mean * (double)pre->scale);
        pre->std[c] = (float)(sqrt(variance) * (double)pre->scale);
    }
    return ENG_OK;
}

/* What comes in must be what the model takes that training goes on from. */
static enum eng_status check_base(const struct eng_recipe *recipe, const struct eng_dataset *train,
                                  const struct eng_base_model *base, struct eng_error *err)
{
    const struct eng_preprocess *before = eng_base_model_preprocess(base);
    if (recipe->input.standardise == ENG_STANDARDISE_PIXEL)
        return eng_fail(err, ENG_FORMAT,
                        "%s: input.standardise is \"pixel\", which adds nodes; wanted \"channel\" "
                        "or false with from",
                        recipe->path);
    if (before && (train->width_px != before->width_px || train->height_px != before->height_px ||
                   train->n_channels != eng_preprocess_channels(before)))
        return eng_fail(err, ENG_FORMAT,
                        "%s: pictures of %u x %u x %u are asked for, but %s takes %u x %u x %u; "
                        "wanted no input.size and input.channels",
                        recipe->path, train->width_px, train->height_px, train->n_channels,
                        base->path, before->width_px, before->height_px,
                        eng_preprocess_channels(before));
    return ENG_OK;
}

/* In the model's order of channels. */
static void swap_colours(struct eng_preprocess *pre)
{
    float mean = pre->mean[0], deviation = pre->std[0];
    pre->mean[0] = pre->mean[2];
    pre->std[0] = pre->std[2];
    pre->mean[2] = mean;
    pre->std[2] = deviation;
}

/* Everything but mean and deviation. before: NULL, or what says colour and layout. */
static struct eng_preprocess begin_preprocess(const struct eng_recipe *recipe,
                                              const struct eng_dataset *train,
                                              const struct eng_preprocess *before)
{
    enum eng_color color = train->n_channels == 1 ? ENG_COLOR_GRAY : ENG_COLOR_RGB;
    return (struct eng_preprocess){.color = before ? before->color : color,
                                   .resize = ENG_RESIZE_STRETCH,
                                   .layout = before ? before->layout : ENG_LAYOUT_CHW,
                                   .width_px = train->width_px,
                                   .height_px = train->height_px,
                                   .scale = (float)recipe->input.scale,
                                   .std = {1, 1, 1}};
}

static enum eng_status prepare_pictures(const struct eng_recipe *recipe,
                                        const struct eng_dataset *train,
                                        const struct eng_base_model *base, struct eng_input *out,
                                        struct eng_error *err)
{
    const struct eng_recipe_input *input = &recipe->input;
    const struct eng_preprocess *before = base ? eng_base_model_preprocess(base) : NULL;
    if (base) {
        enum eng_status status = check_base(recipe, train, base, err);
        if (status != ENG_OK) return status;
    }
    if (before && !input->is_given) {
        out->preprocess = *before;
        out->count = eng_preprocess_count(before);
        return ENG_OK;
    }
    if (train->n_channels != 1 && train->n_channels != 3)
        return eng_fail(err, ENG_FORMAT, "pictures of %u channels; wanted 1 or 3",
                        train->n_channels);
    struct eng_preprocess pre = begin_preprocess(recipe, train, before);
    enum eng_status status = ENG_OK;
    if (input->n_mean > 0 && input->n_mean != train->n_channels)
        return eng_fail(err, ENG_FORMAT,
                        "%s: input.mean has %zu numbers; the pictures have %u channels",
                        recipe->path, input->n_mean, train->n_channels);
    if (input->n_mean > 0) {
        memcpy(pre.mean, input->mean, sizeof pre.mean);
        memcpy(pre.std, input->std, input->n_std * sizeof *pre.std);
    } else if (input->standardise == ENG_STANDARDISE_CHANNEL) {
        status = standardise(train, &pre, err);
        if (pre.color == ENG_COLOR_BGR) swap_colours(&pre);
    }
    out->preprocess = pre;
    out->count = eng_preprocess_count(&pre);
    if (status == ENG_OK && input->n_mean == 0 && input->standardise == ENG_STANDARDISE_PIXEL)
        status = eng_standardise_pixels(train, &pre, &out->mean, &out->deviation, err);
    return status;
}

static enum eng_status prepare_vectors(const struct eng_recipe *recipe,
                                       const struct eng_dataset *train,
                                       const struct eng_base_model *base, struct eng_input *out,
                                       struct eng_error *err)
{
    if (recipe->input.n_mean > 0)
        return eng_fail(
            err, ENG_FORMAT,
            "%s: input.mean is given; wanted input.standardise, the samples are vectors",
            recipe->path);
    if (base || recipe->input.standardise == ENG_STANDARDISE_NONE) return ENG_OK;
    return eng_standardise_features(train, &out->mean, &out->deviation, err);
}

/* The pixels that both standardisations together turn into 0, as near as bytes come. */
static enum eng_status make_mean_picture(struct eng_input *input, struct eng_error *err)
{
    const struct eng_preprocess *pre = &input->preprocess;
    size_t n_channels = eng_preprocess_channels(pre);
    size_t n_pixels = (size_t)pre->width_px * pre->height_px;
    uint8_t *picture = eng_calloc(n_pixels, n_channels);
    if (!picture) return eng_fail_memory(err, "the mean picture");
    for (size_t c = 0; c < n_channels; c++)
        for (size_t i = 0; i < n_pixels; i++) {
            float further = input->mean ? input->mean[c * n_pixels + i] * pre->std[c] : 0;
            float pixel = (pre->mean[c] + further) / pre->scale;
            size_t at = pre->color == ENG_COLOR_BGR ? n_channels - 1 - c : c;
            picture[i * n_channels + at] = pixel <= 0     ? 0
                                           : pixel >= 255 ? 255
                                                          : (uint8_t)(pixel + 0.5f);
        }
    input->mean_picture = picture;
    return ENG_OK;
}

enum eng_status eng_input_prepare(const struct eng_recipe *recipe, const struct eng_dataset *train,
                                  const struct eng_base_model *base, struct eng_input *out,
                                  struct eng_error *err)
{
    struct eng_input input = {
        .kind = train->kind, .n_features = train->n_features, .count = train->n_features};
    enum eng_status status = train->kind == ENG_DATASET_PICTURES
                                 ? prepare_pictures(recipe, train, base, &input, err)
                                 : prepare_vectors(recipe, train, base, &input, err);
    if (status == ENG_OK && train->kind == ENG_DATASET_PICTURES)
        status = make_mean_picture(&input, err);
    if (status == ENG_OK)
        *out = input;
    else
        eng_input_fini(&input);
    return status;
}

void eng_input_fini(struct eng_input *input)
{
    free(input->mean);
    free(input->deviation);
    free(input->mean_picture);
    memset(input, 0, sizeof *input);
}

/* *value = *value op constant, of the shape of one sample. */
static enum eng_status add_constant_node(struct eng_graph *graph, const char *op, const char *what,
                                         const struct eng_shape *shape, float *constant, int *value,
                                         struct eng_error *err)
{
    char node[64], name[64], out[64];
    const char *const outs[] = {out};
    const struct eng_tensor tensor = {.dtype = ENG_FLOAT32, .shape = *shape, .data = constant};
    int in[2] = {*value};
    snprintf(node, sizeof node, "standardise.%s", op);
    snprintf(name, sizeof name, "standardise.%s", what);
    snprintf(out, sizeof out, "standardise.%s.out", op);
    enum eng_status status = eng_graph_add_constant(graph, name, &tensor, &in[1], err);
    if (status == ENG_OK)
        status =
            eng_graph_add_node(graph, node, "", op, ENG_LAYER_OPSET, NULL, 0, in, 2, outs, 1, err);
    if (status == ENG_OK) *value = eng_graph_find(graph, out);
    return status;
}

enum eng_status eng_input_add_nodes(const struct eng_input *input, struct eng_graph *graph, int *in,
                                    int *value, struct eng_shape *shape, struct eng_error *err)
{
    struct eng_shape at = {.rank = 2, .dim = {-1, (int64_t)input->n_features}};
    const char *name = "features";
    if (input->kind == ENG_DATASET_PICTURES) {
        const struct eng_preprocess *pre = &input->preprocess;
        name = "image";
        at = (struct eng_shape){
            .rank = 4, .dim = {-1, eng_preprocess_channels(pre), pre->height_px, pre->width_px}};
    }
    enum eng_status status = eng_graph_add_input(graph, name, ENG_FLOAT32, &at, in, err);
    if (status != ENG_OK) return status;
    *value = *in;
    at.dim[0] = 1;
    *shape = at;
    if (!input->mean) return ENG_OK;
    status = add_constant_node(graph, "Sub", "mean", &at, input->mean, value, err);
    if (status == ENG_OK)
        status = add_constant_node(graph, "Div", "deviation", &at, input->deviation, value, err);
    return status;
}

void eng_input_fill(const struct eng_input *input, const struct eng_dataset *set, size_t i,
                    const struct eng_augment_options *augment,
                    const struct eng_augment_variant *variant, uint8_t *scratch, float *dst)
{
    if (input->kind == ENG_DATASET_VECTORS) {
        memcpy(dst, eng_dataset_features(set, i), input->count * sizeof *dst);
        return;
    }
    const uint8_t *pixels = eng_dataset_sample(set, i);
    if (variant) {
        struct eng_augment_variant with_mean = *variant;
        with_mean.mean = input->mean_picture;
        eng_augment_run(augment, &with_mean, pixels, set->width_px, set->height_px, set->n_channels,
                        scratch);
        pixels = scratch;
    }
    eng_preprocess_bytes(&input->preprocess, pixels, dst);
}
