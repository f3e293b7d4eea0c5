/* Dimensions of the input that the file leaves open: they follow what its card or config says, or
 * what the graph can compute. */
#include "model/model_internal.h"

#include "base/error.h"
#include "graph/shape.h"

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

/* Whether the graph computes pictures of these sides and channels at all. */
static bool computes(const struct eng_graph *graph)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct eng_tensor *tensors = eng_arena_alloc(&arena, graph->n_values + 1, sizeof *tensors);
    struct eng_node_plan *nodes = eng_arena_alloc(&arena, graph->n_nodes + 1, sizeof *nodes);
    bool ok = tensors && nodes &&
              eng_shape_infer(graph, 1, false, false, &arena, tensors, nodes, NULL) == ENG_OK;
    eng_arena_fini(&arena);
    return ok;
}

static int64_t open_to(int64_t dim, int64_t wanted)
{
    return dim == -1 ? wanted : dim;
}

/* Sides that classifiers are trained with, the most common first, until the graph computes one. A
 * side that the file tells makes a square. */
static bool guess_sides(struct eng_graph *graph, struct eng_shape *shape,
                        const struct picture_axes *axes, int64_t n_channels)
{
    static const int64_t colored[] = {224, 32, 299, 96, 64, 128, 256, 384, 0},
                         gray[] = {28, 32, 64, 224, 0};
    const struct eng_shape open = *shape;
    int64_t known = open_to(open.dim[axes->height], open.dim[axes->width]);
    const int64_t one[] = {known, 0}, *side = n_channels == 1 ? gray : colored;
    for (side = known == -1 ? side : one; *side; side++) {
        shape->dim[axes->channels] = n_channels;
        shape->dim[axes->height] = *side;
        shape->dim[axes->width] = *side;
        if (computes(graph)) return true;
        *shape = open;
    }
    return false;
}

/* Nothing says how large pictures are. False: nothing that was tried fits. */
static bool guess_size(struct eng_graph *graph, struct eng_value *input,
                       const struct picture_axes *axes, struct eng_card_source *source)
{
    struct eng_shape *shape = &input->tensor.shape;
    struct eng_preprocess *pre = &source->card.preprocess;
    if (axes->channels == 0) return false; /* it may well be no picture */
    if (shape->dim[axes->width] > UINT16_MAX || shape->dim[axes->height] > UINT16_MAX) return false;
    int64_t n_channels = shape->dim[axes->channels];
    if (n_channels == -1 && source->has_color) n_channels = eng_preprocess_channels(pre);
    bool found = (n_channels == 3 || n_channels == -1) && guess_sides(graph, shape, axes, 3);
    if (!found && (n_channels == 1 || n_channels == -1)) found = guess_sides(graph, shape, axes, 1);
    if (!found) return false;
    pre->width_px = (uint32_t)shape->dim[axes->width];
    pre->height_px = (uint32_t)shape->dim[axes->height];
    source->has_size = true;
    source->card.origin[ENG_CARD_SIZE] = ENG_ORIGIN_GUESSED;
    return true;
}

/* False: the graph computes neither colour nor grey. */
static bool guess_channels(const struct eng_graph *graph, struct eng_shape *shape,
                           const struct picture_axes *axes)
{
    for (int64_t n_channels = 3; n_channels > 0; n_channels -= 2) {
        shape->dim[axes->channels] = n_channels;
        if (computes(graph)) return true;
    }
    shape->dim[axes->channels] = -1;
    return false;
}

/* What the card says goes where the graph's input is open. */
static void take_said(struct eng_shape *shape, const struct picture_axes *axes,
                      struct eng_card_source *source)
{
    const struct eng_preprocess *pre = &source->card.preprocess;
    take_default_side(shape, axes, source);
    if (source->has_size) {
        shape->dim[axes->height] = open_to(shape->dim[axes->height], pre->height_px);
        shape->dim[axes->width] = open_to(shape->dim[axes->width], pre->width_px);
    }
    if (axes->channels && source->has_color)
        shape->dim[axes->channels] =
            open_to(shape->dim[axes->channels], eng_preprocess_channels(pre));
}

static enum eng_status settle_picture(struct eng_graph *graph, struct eng_value *input,
                                      struct eng_card_source *source, struct eng_error *err)
{
    struct eng_shape *shape = &input->tensor.shape;
    struct picture_axes axes = find_axes(shape, source);
    char text[96];
    take_said(shape, &axes, source);
    bool sides_open = shape->dim[axes.height] == -1 || shape->dim[axes.width] == -1;
    if (sides_open && !source->has_size) {
        if (guess_size(graph, input, &axes, source)) return ENG_OK;
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input '%s' has shape %s, which leaves a picture's size open, and no usual "
                        "size fits the graph; set it in config.json, for example \"preprocess\": "
                        "{\"width\": 224, \"height\": 224}, or by a preset that has one",
                        input->name, eng_shape_format(shape, text, sizeof text));
    }
    if (!axes.channels || shape->dim[axes.channels] != -1) return ENG_OK;
    if (!guess_channels(graph, shape, &axes))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input '%s' has shape %s, which leaves a picture's channels open, and the "
                        "graph computes neither 3 nor 1 of them",
                        input->name, eng_shape_format(shape, text, sizeof text));
    return ENG_OK;
}

void eng_model_take_said_size(struct eng_model *model)
{
    struct eng_graph *graph = &model->graph;
    if (graph->n_inputs != 1) return;
    struct eng_shape *shape = &graph->values[graph->inputs[0]].tensor.shape;
    if (shape->rank != 3 && shape->rank != 4) return;
    struct picture_axes axes = find_axes(shape, &model->source);
    take_said(shape, &axes, &model->source);
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
    if (shape->rank == 3 || shape->rank == 4) return settle_picture(graph, input, source, err);
    return ENG_OK; /* eng_shape_infer says what is wrong */
}
