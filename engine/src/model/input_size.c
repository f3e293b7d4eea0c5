/* Dimensions of the input that the file leaves open: they follow what its card or config says. */
#include "model/model_internal.h"

#include "base/error.h"

/* Where a picture's sides stand in an input. */
struct picture_axes {
    int channels; /* 0: none */
    int height, width;
};

/* [N, C, H, W], [N, H, W, C] or [N, H, W]. What says neither is taken for PyTorch's. */
static struct picture_axes find_axes(const struct eng_shape *shape,
                                     const struct eng_card_source *source)
{
    if (shape->rank == 3) return (struct picture_axes){.height = 1, .width = 2};
    bool last = source->has_layout ? source->card.preprocess.layout == ENG_LAYOUT_HWC
                                   : shape->dim[1] != 1 && shape->dim[1] != 3 &&
                                         (shape->dim[3] == 1 || shape->dim[3] == 3);
    return last ? (struct picture_axes){.channels = 3, .height = 1, .width = 2}
                : (struct picture_axes){.channels = 1, .height = 2, .width = 3};
}

/* A preset's own size goes where neither card nor graph say one. */
static void take_default_side(const struct eng_shape *shape, const struct picture_axes *axes,
                              struct eng_card_source *source)
{
    int64_t side = source->default_side_px, width = shape->dim[axes->width],
            height = shape->dim[axes->height];
    bool open = width == -1 || height == -1, fits = width <= UINT16_MAX && height <= UINT16_MAX;
    if (side == 0 || source->has_size || !open || !fits) return;
    source->card.preprocess.width_px = (uint32_t)(width == -1 ? side : width);
    source->card.preprocess.height_px = (uint32_t)(height == -1 ? side : height);
    source->has_size = true;
    source->card.origin[ENG_CARD_SIZE] = source->card.origin[ENG_CARD_RESIZE]; /* the preset's */
}

static enum eng_status settle_picture(struct eng_value *input, struct eng_card_source *source,
                                      struct eng_error *err)
{
    struct eng_shape *shape = &input->tensor.shape;
    const struct eng_preprocess *pre = &source->card.preprocess;
    struct picture_axes axes = find_axes(shape, source);
    char text[96];
    take_default_side(shape, &axes, source);
    bool sides_open = shape->dim[axes.height] == -1 || shape->dim[axes.width] == -1;
    if (sides_open && !source->has_size)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input '%s' has shape %s, which leaves a picture's size open; set it in "
                        "config.json, for example \"preprocess\": {\"width\": 224, \"height\": "
                        "224}, or by a preset that has one",
                        input->name, eng_shape_format(shape, text, sizeof text));
    if (axes.channels && shape->dim[axes.channels] == -1 && !source->has_color)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input '%s' has shape %s, which leaves a picture's channels open; set "
                        "preprocess.color in config.json to rgb, bgr or gray",
                        input->name, eng_shape_format(shape, text, sizeof text));
    if (shape->dim[axes.height] == -1) shape->dim[axes.height] = pre->height_px;
    if (shape->dim[axes.width] == -1) shape->dim[axes.width] = pre->width_px;
    if (axes.channels && shape->dim[axes.channels] == -1)
        shape->dim[axes.channels] = eng_preprocess_channels(pre);
    return ENG_OK;
}

enum eng_status eng_model_settle_input(struct eng_model *model, struct eng_error *err)
{
    struct eng_graph *graph = &model->graph;
    struct eng_card_source *source = &model->source;
    if (graph->n_inputs != 1) return ENG_OK;
    struct eng_value *input = &graph->values[graph->inputs[0]];
    struct eng_shape *shape = &input->tensor.shape;
    bool open = false;
    for (int d = 1; d < shape->rank; d++)
        open |= shape->dim[d] == -1;
    if (!open) return ENG_OK;
    if (shape->rank == 2 && source->card.n_features > 0) {
        shape->dim[1] = (int64_t)source->card.n_features;
        return ENG_OK;
    }
    if (shape->rank == 3 || shape->rank == 4) return settle_picture(input, source, err);
    return ENG_OK; /* eng_shape_infer says what is wrong */
}
