/* What a file and its config left open about pictures: guessed from the graph, or refused where it
 * does not fit. */
#include "model/complete.h"

#include "base/error.h"
#include "model/ends.h"

#include <math.h>
#include <string.h>

/* The side of a square with that many pixels, 0 if there is none. */
static uint32_t square_side(int64_t n_pixels)
{
    int64_t side = (int64_t)sqrt((double)n_pixels);
    while (side * side < n_pixels)
        side++;
    return side * side == n_pixels && side < UINT16_MAX ? (uint32_t)side : 0;
}

static bool set_size(struct eng_preprocess *pre, int64_t channels, int64_t height, int64_t width)
{
    if ((channels != 1 && channels != 3) || height < 1 || width < 1 || height > UINT16_MAX ||
        width > UINT16_MAX)
        return false;
    pre->color = channels == 1 ? ENG_COLOR_GRAY : ENG_COLOR_RGB;
    pre->height_px = (uint32_t)height;
    pre->width_px = (uint32_t)width;
    return true;
}

/* Whether all numbers of a sample stand along one dimension. */
static bool is_flat(const struct eng_shape *shape, int64_t n_elements)
{
    for (int d = 0; d < shape->rank; d++)
        if (shape->dim[d] == n_elements) return true;
    return false;
}

/* [N, C, H, W], [N, H, W, C], [N, H, W], or a flat row of a square picture in grey or RGB. */
static bool guess_size(const struct eng_shape *shape, int64_t n_elements,
                       struct eng_preprocess *pre)
{
    const int64_t *dim = shape->dim;
    pre->layout = ENG_LAYOUT_CHW;
    if (shape->rank == 4 && set_size(pre, dim[1], dim[2], dim[3])) return true;
    if (shape->rank == 4 && set_size(pre, dim[3], dim[1], dim[2])) {
        pre->layout = ENG_LAYOUT_HWC;
        return true;
    }
    if (!is_flat(shape, n_elements))
        return shape->rank == 3 && dim[1] > 1 && dim[2] > 1 && set_size(pre, 1, dim[1], dim[2]);
    uint32_t side = square_side(n_elements);
    if (side) return set_size(pre, 1, side, side);
    side = n_elements % 3 == 0 ? square_side(n_elements / 3) : 0;
    return side && set_size(pre, 3, side, side);
}

/* What the file and its config left open follows the input. False: the input does not tell. */
static bool fill_preprocess(struct eng_card_source *source, const struct eng_shape *shape,
                            int64_t n_elements)
{
    struct eng_preprocess guess, *pre = &source->card.preprocess;
    if (source->has_color && source->has_layout && source->has_size) return true;
    if (!guess_size(shape, n_elements, &guess)) return false;
    enum eng_origin *origin = source->card.origin;
    bool is_gray = guess.color == ENG_COLOR_GRAY, is_flat_row = is_flat(shape, n_elements);
    if (!source->has_color) {
        pre->color = guess.color;
        origin[ENG_CARD_COLOR] =
            is_gray && !is_flat_row ? ENG_ORIGIN_FILE : ENG_ORIGIN_GUESSED; /* or BGR */
    }
    if (!source->has_layout) {
        pre->layout = guess.layout;
        origin[ENG_CARD_LAYOUT] = is_gray || !is_flat_row ? ENG_ORIGIN_FILE : ENG_ORIGIN_GUESSED;
    }
    if (!source->has_size) {
        pre->width_px = guess.width_px;
        pre->height_px = guess.height_px;
        origin[ENG_CARD_SIZE] = is_flat_row ? ENG_ORIGIN_GUESSED : ENG_ORIGIN_FILE;
    }
    return true;
}

/* The thousand classes of ImageNet, of which TensorFlow's networks have one more. */
static bool sorts_photographs(const struct eng_model *model)
{
    enum { LEAST_SIDE_PX = 96 };
    const struct eng_preprocess *pre = &model->source.card.preprocess;
    int64_t n_classes = eng_model_per_sample(model, model->answer);
    return (n_classes == 1000 || n_classes == 1001) && pre->color != ENG_COLOR_GRAY &&
           pre->width_px >= LEAST_SIDE_PX && pre->height_px >= LEAST_SIDE_PX;
}

/* Whose networks of photographs these are: Caffe's go by the producer, TensorFlow has channels
 * last.
 */
static const char *likely_preset(const struct eng_card *card)
{
    if (strstr(card->producer, "caffe")) return "imagenet-caffe";
    return card->preprocess.layout == ENG_LAYOUT_CHW ? "imagenet-torchvision" : "imagenet-tf";
}

/* Nobody said what the values are: docs/decisions/020 has the reasons. */
static void guess_values(struct eng_model *model, int input)
{
    struct eng_card_source *source = &model->source;
    struct eng_preprocess *pre = &source->card.preprocess;
    enum eng_origin *origin = source->card.origin;
    bool photographs = sorts_photographs(model);
    enum eng_pixels pixels = eng_ends_pixels(&model->graph, input);
    if (model->symbolic[input].dtype == ENG_UINT8) pixels = ENG_PIXELS_ZERO_255;
    if (pixels == ENG_PIXELS_ZERO_255)
        pre->scale = 1;
    else if (photographs && pixels == ENG_PIXELS_UNKNOWN)
        eng_card_take_values(source, likely_preset(&source->card));
    source->card.guessed |= ENG_GUESS_PREPROCESS;
    origin[ENG_CARD_VALUES] = ENG_ORIGIN_GUESSED;
    if (origin[ENG_CARD_RESIZE] != ENG_ORIGIN_DEFAULT) return;
    origin[ENG_CARD_RESIZE] = ENG_ORIGIN_GUESSED;
    if (!photographs) return;
    pre->resize = ENG_RESIZE_CENTER_CROP;
    source->crop_percentage = 87.5;
}

/* Whether the sides and channels stand where the layout says, as far as the shape shows it. */
static bool fits_layout(const struct eng_preprocess *pre, const struct eng_shape *shape)
{
    bool last = pre->layout == ENG_LAYOUT_HWC;
    return shape->rank != 4 || (shape->dim[last ? 3 : 1] == eng_preprocess_channels(pre) &&
                                shape->dim[last ? 1 : 2] == pre->height_px &&
                                shape->dim[last ? 2 : 3] == pre->width_px);
}

/* Whether the input is one of pictures of that size at all. */
static enum eng_status check_shape(const struct eng_shape *shape, const char *name, bool fits,
                                   bool has_size, struct eng_error *err)
{
    char text[96];
    eng_shape_format(shape, text, sizeof text);
    if (!fits && shape->rank > 1 && shape->dim[0] > 1)
        return eng_fail(err, ENG_FORMAT,
                        "input '%s' has shape %s; wanted a batch of 1, or an open one, as its "
                        "first dimension: export it so",
                        name, text);
    if (!has_size && shape->rank == 4)
        return eng_fail(err, ENG_FORMAT,
                        "input '%s' has shape %s; wanted 1 or 3 channels, as [N, C, H, W] or "
                        "[N, H, W, C]",
                        name, text);
    if (!has_size)
        return eng_fail(err, ENG_FORMAT,
                        "input '%s' of shape %s does not tell a picture's size; wanted color, "
                        "layout, width and height in preprocess",
                        name, text);
    return ENG_OK;
}

/* Errors: FORMAT. What was guessed may well not fit: a graph need not take pictures. */
static enum eng_status check_preprocess(const struct eng_model *model, int input,
                                        struct eng_error *err)
{
    const struct eng_preprocess *pre = &model->source.card.preprocess;
    const struct eng_shape *shape = &model->symbolic[input].shape;
    const char *name = model->graph.values[input].name;
    char text[96];
    size_t count = eng_preprocess_count(pre);
    bool fits = (int64_t)count == eng_model_per_sample(model, input);
    eng_shape_format(shape, text, sizeof text);
    enum eng_status status = check_shape(shape, name, fits, pre->width_px > 0, err);
    if (status != ENG_OK) return status;
    if (!fits)
        return eng_fail(
            err, ENG_FORMAT,
            "preprocessing gives %u x %u x %u = %zu values, but input '%s' has shape %s",
            eng_preprocess_channels(pre), pre->height_px, pre->width_px, count, name, text);
    if (!fits_layout(pre, shape))
        return eng_fail(
            err, ENG_FORMAT,
            "preprocessing gives %u channels of height %u and width %u in layout %s, but "
            "input '%s' has shape %s",
            eng_preprocess_channels(pre), pre->height_px, pre->width_px,
            pre->layout == ENG_LAYOUT_HWC ? "hwc" : "chw", name, text);
    if (pre->resize == ENG_RESIZE_CENTER_CROP &&
        (pre->shorter_side_px < pre->width_px || pre->shorter_side_px < pre->height_px))
        return eng_fail(err, ENG_FORMAT,
                        "preprocess.shorter_side is %u; wanted at least the picture's %u x %u",
                        pre->shorter_side_px, pre->width_px, pre->height_px);
    return ENG_OK;
}

bool eng_model_is_real(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
}

bool eng_model_takes_samples(enum eng_dtype dtype)
{
    return eng_model_is_real(dtype) || dtype == ENG_UINT8;
}

/* Errors: FORMAT for a graph that cannot take prepared samples, or give probabilities. */
static enum eng_status check_types(const struct eng_model *model, struct eng_error *err)
{
    const struct eng_graph *graph = &model->graph;
    if (graph->n_inputs != 1)
        return eng_fail(err, ENG_FORMAT, "the graph has %zu inputs; wanted one, of pictures",
                        graph->n_inputs);
    enum eng_dtype input = model->symbolic[graph->inputs[0]].dtype,
                   answer = model->symbolic[model->answer].dtype;
    if (!eng_model_takes_samples(input))
        return eng_fail(err, ENG_FORMAT, "input '%s' holds %s; wanted floats or bytes (uint8)",
                        graph->values[graph->inputs[0]].name, eng_dtype_name(input));
    if (!eng_model_is_real(answer))
        return eng_fail(err, ENG_FORMAT, "output '%s' holds %s; wanted floats",
                        graph->values[model->answer].name, eng_dtype_name(answer));
    return ENG_OK;
}

static enum eng_status fit_pictures(struct eng_model *model, struct eng_error *err)
{
    struct eng_card_source *source = &model->source;
    enum eng_status status = check_types(model, err);
    if (status != ENG_OK) return status;
    int input = model->graph.inputs[0];
    bool filled =
        fill_preprocess(source, &model->symbolic[input].shape, eng_model_per_sample(model, input));
    if (filled && source->card.origin[ENG_CARD_VALUES] == ENG_ORIGIN_DEFAULT)
        guess_values(model, input);
    status = eng_card_settle_size(source, err);
    return status == ENG_OK ? check_preprocess(model, input, err) : status;
}

enum eng_status eng_model_decline(struct eng_model *model, const char *why, struct eng_error *err)
{
    model->source.card.takes_images = false;
    model->sample_count = 0;
    model->source.card.no_pictures = eng_arena_string(&model->arena, why, strlen(why));
    return model->source.card.no_pictures ? ENG_OK : eng_fail_memory(err, "the model's card");
}

enum eng_status eng_model_complete_picture(struct eng_model *model, struct eng_error *err)
{
    struct eng_card_source *source = &model->source;
    bool stated = source->has_preprocess || source->has_color;
    struct eng_error why = {0};
    enum eng_status status = fit_pictures(model, &why);
    if (status != ENG_OK)
        return stated ? eng_fail(err, status, "%s", why.text)
                      : eng_model_decline(model, why.text, err);
    source->card.takes_images = true;
    model->sample_count = eng_preprocess_count(&source->card.preprocess);
    return ENG_OK;
}
