#include "model/card_parts.h"

#include "base/error.h"
#include "base/spelling.h"

#include <string.h>

static const char *const colors[] = {"gray", "rgb", "bgr", NULL};
static const char *const resizes[] = {"stretch", "center_crop", NULL};
static const char *const layouts[] = {"chw", "hwc", NULL};

_Static_assert(ENG_COLOR_GRAY == 0 && ENG_COLOR_RGB == 1 && ENG_COLOR_BGR == 2, "as in colors");
_Static_assert(ENG_RESIZE_STRETCH == 0 && ENG_RESIZE_CENTER_CROP == 1, "as in resizes");
_Static_assert(ENG_LAYOUT_CHW == 0 && ENG_LAYOUT_HWC == 1, "as in layouts");

enum { MAX_SIDE_PX = 65535 };

/* The scalar keys, in the types of field tables. */
struct scalars {
    int color, resize, layout;
    int64_t width, height, shorter_side;
    double scale;
};

static const struct eng_field rows[] = {
    ENG_F_CHOICE(struct scalars, color, 0, colors, "channel order that the model was trained with"),
    ENG_F_CHOICE(struct scalars, resize, 0, resizes, "how a picture gets the model's size"),
    ENG_F_CHOICE(struct scalars, layout, 0, layouts, "order of channels, height and width"),
    ENG_F_INT(struct scalars, width, 0, 1, MAX_SIDE_PX, "pixels"),
    ENG_F_INT(struct scalars, height, 0, 1, MAX_SIDE_PX, "pixels"),
    ENG_F_INT(struct scalars, shorter_side, 0, 1, MAX_SIDE_PX, "pixels, before the crop"),
    ENG_F_FLOAT(struct scalars, scale, 1.0 / 255, 1e-9, 1e9, "factor for pixels of 0 to 255"),
};

enum { N_ROWS = sizeof rows / sizeof *rows };

void card_preprocess_defaults(struct eng_preprocess *pre)
{
    *pre = (struct eng_preprocess){
        .resize = ENG_RESIZE_STRETCH, .scale = 1.0f / 255.0f, .std = {1.0f, 1.0f, 1.0f}};
}

static struct scalars to_scalars(const struct eng_preprocess *pre)
{
    return (struct scalars){.color = (int)pre->color,
                            .resize = (int)pre->resize,
                            .layout = (int)pre->layout,
                            .width = pre->width_px,
                            .height = pre->height_px,
                            .shorter_side = pre->shorter_side_px,
                            .scale = (double)pre->scale};
}

static void from_scalars(const struct scalars *scalars, struct eng_preprocess *pre)
{
    pre->color = (enum eng_color)scalars->color;
    pre->resize = (enum eng_resize)scalars->resize;
    pre->layout = (enum eng_layout)scalars->layout;
    pre->width_px = (uint32_t)scalars->width;
    pre->height_px = (uint32_t)scalars->height;
    pre->shorter_side_px = (uint32_t)scalars->shorter_side;
    pre->scale = (float)scalars->scale;
}

/* One value stands for all channels. */
static enum eng_status read_channels(const struct eng_json_place *place, const char *key,
                                     const json_t *value, double least, float values[3], size_t *n)
{
    enum eng_status status = eng_json_floats(place, key, value, least, 1e9, 1, 3, values, n,
                                             least > 0 ? "1 or 3 numbers from 1e-9 to 1e9"
                                                       : "1 or 3 numbers from -1e9 to 1e9");
    if (status != ENG_OK) return status;
    if (*n == 2) return eng_json_fail(place, key, value, "1 or 3 numbers");
    if (*n == 1) values[1] = values[2] = values[0];
    return ENG_OK;
}

static enum eng_status fail_key(const struct eng_json_place *place, const char *key)
{
    const char *names[N_ROWS + 3] = {"mean", "std"};
    for (size_t i = 0; i < N_ROWS; i++)
        names[i + 2] = rows[i].name;
    return eng_json_fail_key(place, key, eng_text_nearest(key, names));
}

enum eng_status card_read_preprocess(const struct eng_json_place *place, const char *key,
                                     const json_t *value, struct card_draft *draft)
{
    if (!json_is_object(value)) return eng_json_fail(place, key, value, "an object");
    struct eng_card_source *source = &draft->source;
    struct eng_preprocess *pre = &source->card.preprocess;
    struct scalars scalars = to_scalars(pre);
    struct eng_json_place inner = eng_json_within(place, key);
    const char *name;
    json_t *item;
    enum eng_status status = ENG_OK;
    json_object_foreach((json_t *)value, name, item)
    {
        const struct eng_field *row = eng_fields_find(rows, N_ROWS, name);
        if (row)
            status = eng_json_set(&inner, row, item, &scalars);
        else if (strcmp(name, "mean") == 0)
            status = read_channels(&inner, name, item, -1e9, pre->mean, &draft->n_mean);
        else if (strcmp(name, "std") == 0)
            status = read_channels(&inner, name, item, 1e-9, pre->std, &draft->n_std);
        else
            status = fail_key(&inner, name);
        if (status != ENG_OK) return status;
    }
    from_scalars(&scalars, pre);
    source->has_preprocess = true;
    source->has_color = source->has_color || json_object_get(value, "color");
    source->has_layout = source->has_layout || json_object_get(value, "layout");
    return ENG_OK;
}

enum eng_status card_preprocess_finish(const struct eng_json_place *place, struct card_draft *draft)
{
    struct eng_card_source *source = &draft->source;
    struct eng_preprocess *pre = &source->card.preprocess;
    source->has_size = pre->width_px > 0 && pre->height_px > 0;
    if ((pre->width_px > 0) != (pre->height_px > 0))
        return eng_fail(place->err, ENG_FORMAT, "%s: preprocess.%s is missing; wanted it beside %s",
                        place->path, pre->width_px ? "height" : "width",
                        pre->width_px ? "width" : "height");
    bool three = draft->n_mean == 3 || draft->n_std == 3;
    if (three && !source->has_color) {
        pre->color = ENG_COLOR_RGB;
        source->has_color = true;
    }
    if (three && pre->color == ENG_COLOR_GRAY)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: preprocess.%s has 3 values; wanted 1 for color \"gray\"", place->path,
                        draft->n_mean == 3 ? "mean" : "std");
    uint32_t longer = pre->width_px > pre->height_px ? pre->width_px : pre->height_px;
    if (pre->resize == ENG_RESIZE_STRETCH) {
        pre->shorter_side_px = 0;
    } else if (pre->shorter_side_px == 0 || pre->shorter_side_px < longer) {
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: preprocess.shorter_side is %u; wanted %u or more with resize "
                        "\"center_crop\"",
                        place->path, pre->shorter_side_px, longer ? longer : 1);
    }
    return ENG_OK;
}

static json_t *channels_json(const float *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++) {
        if (json_array_append_new(list, json_real((double)values[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *card_preprocess_json(const struct eng_preprocess *pre)
{
    size_t n = eng_preprocess_channels(pre);
    json_t *object =
        json_pack("{ss ss ss si si sf so so}", "color", colors[pre->color], "resize",
                  resizes[pre->resize], "layout", layouts[pre->layout], "width", (int)pre->width_px,
                  "height", (int)pre->height_px, "scale", (double)pre->scale, "mean",
                  channels_json(pre->mean, n), "std", channels_json(pre->std, n));
    if (!object || pre->resize == ENG_RESIZE_STRETCH) return object;
    if (json_object_set_new(object, "shorter_side", json_integer(pre->shorter_side_px)) == 0)
        return object;
    json_decref(object);
    return NULL;
}
