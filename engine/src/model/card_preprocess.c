#include "model/card_parts.h"

#include "base/error.h"
#include "base/spelling.h"

#include <math.h>
#include <string.h>

static const char *const colors[] = {"gray", "rgb", "bgr", NULL};
static const char *const resizes[] = {"stretch", "center_crop", "letterbox", NULL};
static const char *const layouts[] = {"chw", "hwc", "nchw", "nhwc", NULL}; /* N changes nothing */
static const char *const filters[] = {"bilinear", "bicubic", "nearest", NULL};

_Static_assert(ENG_COLOR_GRAY == 0 && ENG_COLOR_RGB == 1 && ENG_COLOR_BGR == 2, "as in colors");
_Static_assert(ENG_RESIZE_STRETCH == 0 && ENG_RESIZE_CENTER_CROP == 1 && ENG_RESIZE_LETTERBOX == 2,
               "as in resizes");
_Static_assert(ENG_LAYOUT_CHW == 0 && ENG_LAYOUT_HWC == 1, "as in layouts");
_Static_assert(ENG_FILTER_BILINEAR == 0 && ENG_FILTER_BICUBIC == 1 && ENG_FILTER_NEAREST == 2,
               "as in filters");

enum { MAX_SIDE_PX = 65535 };

/* The scalar keys, in the types of field tables. */
struct scalars {
    int color, resize, layout, filter;
    bool antialias;
    int64_t width, height, shorter_side;
    double crop_percentage, scale;
};

static const struct eng_field rows[] = {
    ENG_F_CHOICE(struct scalars, color, 0, colors, "channel order that the model was trained with"),
    ENG_F_CHOICE(struct scalars, layout, 0, layouts, "order of channels, height and width"),
    ENG_F_INT(struct scalars, width, 0, 1, MAX_SIDE_PX, "pixels"),
    ENG_F_INT(struct scalars, height, 0, 1, MAX_SIDE_PX, "pixels"),
    ENG_F_CHOICE(struct scalars, resize, 0, resizes, "how a picture gets the model's size"),
    ENG_F_INT(struct scalars, shorter_side, 0, 1, MAX_SIDE_PX, "pixels, before the crop"),
    ENG_F_FLOAT(struct scalars, crop_percentage, 0, 10, 100,
                "the model's side in % of shorter_side"),
    ENG_F_CHOICE(struct scalars, filter, 0, filters, "how pixels between pixels are made"),
    ENG_F_BOOL(struct scalars, antialias, 1, "reducing averages, as Pillow does"),
    ENG_F_FLOAT(struct scalars, scale, 1.0 / 255, 1e-9, 1e9, "factor for pixels of 0 to 255"),
};

enum { N_ROWS = sizeof rows / sizeof *rows };

/* The keys that are no scalars, and which item of the card each key is about. */
static const struct {
    const char *key;
    enum eng_card_item item;
} items[] = {
    {"mean", ENG_CARD_VALUES},
    {"std", ENG_CARD_VALUES},
    {"background", ENG_CARD_BACKGROUND},
    {"preset", ENG_CARD_VALUES},
    {"color", ENG_CARD_COLOR},
    {"layout", ENG_CARD_LAYOUT},
    {"width", ENG_CARD_SIZE},
    {"height", ENG_CARD_SIZE},
    {"resize", ENG_CARD_RESIZE},
    {"shorter_side", ENG_CARD_RESIZE},
    {"crop_percentage", ENG_CARD_RESIZE},
    {"filter", ENG_CARD_FILTER},
    {"antialias", ENG_CARD_FILTER},
    {"scale", ENG_CARD_VALUES},
};

enum { N_ITEMS = sizeof items / sizeof *items };
_Static_assert(N_ITEMS == N_ROWS + 4, "every key has an item");

void card_preprocess_defaults(struct eng_preprocess *pre)
{
    *pre = (struct eng_preprocess){
        .resize = ENG_RESIZE_STRETCH, .scale = 1.0f / 255.0f, .std = {1.0f, 1.0f, 1.0f}};
}

static struct scalars to_scalars(const struct eng_card_source *source)
{
    const struct eng_preprocess *pre = &source->card.preprocess;
    return (struct scalars){.color = (int)pre->color,
                            .resize = (int)pre->resize,
                            .layout = (int)pre->layout,
                            .filter = (int)pre->filter,
                            .antialias = !pre->aliased,
                            .width = pre->width_px,
                            .height = pre->height_px,
                            .shorter_side = pre->shorter_side_px,
                            .crop_percentage = source->crop_percentage,
                            .scale = (double)pre->scale};
}

static void from_scalars(const struct scalars *scalars, struct eng_card_source *source)
{
    struct eng_preprocess *pre = &source->card.preprocess;
    pre->color = (enum eng_color)scalars->color;
    pre->resize = (enum eng_resize)scalars->resize;
    pre->layout = (enum eng_layout)(scalars->layout % 2);
    pre->filter = (enum eng_filter)scalars->filter;
    pre->aliased = !scalars->antialias;
    pre->width_px = (uint32_t)scalars->width;
    pre->height_px = (uint32_t)scalars->height;
    pre->shorter_side_px = (uint32_t)scalars->shorter_side;
    pre->scale = (float)scalars->scale;
    source->crop_percentage = scalars->crop_percentage;
}

/* Numbers for the channels: a list, or one number for all. */
static enum eng_status read_numbers(const struct eng_json_place *place, const char *key,
                                    const json_t *value, double least, double most,
                                    const char *wanted, float values[3], size_t *n)
{
    if (json_is_number(value)) {
        double number = json_number_value(value);
        if (number < least || number > most) return eng_json_fail(place, key, value, wanted);
        values[0] = (float)number;
        *n = 1;
    } else {
        enum eng_status status =
            eng_json_floats(place, key, value, least, most, 1, 3, values, n, wanted);
        if (status != ENG_OK) return status;
    }
    if (*n == 2) return eng_json_fail(place, key, value, wanted);
    if (*n == 1) values[1] = values[2] = values[0];
    return ENG_OK;
}

static enum eng_status read_channels(const struct eng_json_place *place, const char *key,
                                     const json_t *value, double least, float values[3], size_t *n)
{
    return read_numbers(place, key, value, least, 1e9,
                        least > 0 ? "1 or 3 numbers from 1e-9 to 1e9"
                                  : "1 or 3 numbers from -1e9 to 1e9",
                        values, n);
}

static enum eng_status read_background(const struct eng_json_place *place, const char *key,
                                       const json_t *value, uint8_t background[3])
{
    static const char wanted[] = "1 or 3 whole numbers from 0 to 255";
    float values[3];
    size_t n;
    enum eng_status status = read_numbers(place, key, value, 0, 255, wanted, values, &n);
    if (status != ENG_OK) return status;
    for (size_t c = 0; c < 3; c++) {
        background[c] = (uint8_t)values[c];
        if (values[c] != (float)background[c]) return eng_json_fail(place, key, value, wanted);
    }
    return ENG_OK;
}

static enum eng_status fail_key(const struct eng_json_place *place, const char *key)
{
    const char *names[N_ITEMS + 1] = {NULL};
    for (size_t i = 0; i < N_ITEMS; i++)
        names[i] = items[i].key;
    const char *meant = card_word_elsewhere(key);
    return meant ? eng_json_fail_key(place, key, meant) : eng_json_fail_unknown(place, key, names);
}

static enum eng_status read_item(const struct eng_json_place *place, const char *name,
                                 const json_t *item, struct scalars *scalars,
                                 struct card_draft *draft)
{
    struct eng_preprocess *pre = &draft->source.card.preprocess;
    const struct eng_field *row = eng_fields_find(rows, N_ROWS, name);
    if (row) return eng_json_set(place, row, item, scalars);
    if (strcmp(name, "mean") == 0)
        return read_channels(place, name, item, -1e9, pre->mean, &draft->n_mean);
    if (strcmp(name, "std") == 0)
        return read_channels(place, name, item, 1e-9, pre->std, &draft->n_std);
    if (strcmp(name, "background") == 0) return read_background(place, name, item, pre->background);
    return strcmp(name, "preset") == 0 ? ENG_OK : fail_key(place, name);
}

bool card_is_preprocess_key(const char *name)
{
    for (size_t i = 0; i < N_ITEMS; i++)
        if (strcmp(items[i].key, name) == 0) return true;
    return false;
}

static void note_origin(const char *key, struct card_draft *draft)
{
    for (size_t i = 0; i < N_ITEMS; i++)
        if (strcmp(items[i].key, key) == 0)
            draft->source.card.origin[items[i].item] = draft->origin;
}

/* A preset goes first, wherever it stands, so that the other keys refine it. */
static enum eng_status read_preset(const struct eng_json_place *place, const json_t *object,
                                   struct card_draft *draft)
{
    const json_t *value = json_object_get(object, "preset");
    const char *name;
    if (!value) return ENG_OK;
    enum eng_status status = eng_json_string(place, "preset", value, &name);
    return status == ENG_OK ? card_set_preset(place, name, draft) : status;
}

/* The later of the two ways to say the crop holds. */
static enum eng_status check_crop(const struct eng_json_place *place, const json_t *object,
                                  struct scalars *scalars)
{
    const json_t *percentage = json_object_get(object, "crop_percentage");
    const json_t *side = json_object_get(object, "shorter_side");
    if (percentage && side)
        return eng_json_fail(place, "crop_percentage", percentage,
                             "either it or shorter_side, not both");
    if (percentage && scalars->resize != ENG_RESIZE_CENTER_CROP)
        return eng_json_fail(place, "crop_percentage", percentage,
                             "resize \"center_crop\" with it");
    if (percentage) scalars->shorter_side = 0;
    if (side) scalars->crop_percentage = 0;
    return ENG_OK;
}

enum eng_status card_read_preprocess(const struct eng_json_place *place, const char *key,
                                     const json_t *value, struct card_draft *draft)
{
    if (!json_is_object(value))
        return eng_json_fail(place, key, value,
                             "an object, such as {\"preset\": \"imagenet-torchvision\"}");
    struct eng_card_source *source = &draft->source;
    struct eng_json_place inner = eng_json_within(place, key);
    enum eng_status status = read_preset(&inner, value, draft);
    if (status != ENG_OK) return status;
    struct scalars scalars = to_scalars(source);
    const char *name;
    json_t *item;
    json_object_foreach((json_t *)value, name, item)
    {
        status = read_item(&inner, name, item, &scalars, draft);
        if (status != ENG_OK) return status;
        note_origin(name, draft);
    }
    status = check_crop(&inner, value, &scalars);
    if (status != ENG_OK) return status;
    from_scalars(&scalars, source);
    source->has_preprocess = true;
    draft->has_scale = draft->has_scale || json_object_get(value, "scale");
    source->has_color = source->has_color || json_object_get(value, "color");
    source->has_layout = source->has_layout || json_object_get(value, "layout");
    return ENG_OK;
}

enum eng_status eng_card_settle_size(struct eng_card_source *source, struct eng_error *err)
{
    struct eng_preprocess *pre = &source->card.preprocess;
    uint32_t longer = pre->width_px > pre->height_px ? pre->width_px : pre->height_px;
    if (pre->resize != ENG_RESIZE_CENTER_CROP || source->crop_percentage == 0) return ENG_OK;
    double side = floor(longer * 100.0 / source->crop_percentage);
    if (side > ENG_IMAGE_MAX_SIDE_PX)
        return eng_fail(
            err, ENG_FORMAT,
            "preprocess.crop_percentage is %g, so a crop of %u pixels is cut from %.0f; "
            "wanted at most %d",
            source->crop_percentage, longer, side, ENG_IMAGE_MAX_SIDE_PX);
    pre->shorter_side_px = (uint32_t)side;
    return ENG_OK;
}

/* Means of 0 to 255 do not go with the scale that holds when nobody says one. */
static enum eng_status check_scale(const struct eng_json_place *place,
                                   const struct card_draft *draft)
{
    const struct eng_preprocess *pre = &draft->source.card.preprocess;
    for (int i = 0; i < 6 && !draft->has_scale; i++) {
        float value = i < 3 ? pre->mean[i] : pre->std[i - 3];
        if (fabsf(value) > 10)
            return eng_fail(
                place->err, ENG_FORMAT,
                "%s: preprocess.%s is %g, and nobody says a scale, so that pixels are 0 "
                "to 1; wanted \"scale\": 1 beside it for pixels of 0 to 255",
                place->path, i < 3 ? "mean" : "std", (double)value);
    }
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
    enum eng_status status = check_scale(place, draft);
    if (status != ENG_OK) return status;
    uint32_t longer = pre->width_px > pre->height_px ? pre->width_px : pre->height_px;
    if (pre->resize != ENG_RESIZE_CENTER_CROP) {
        pre->shorter_side_px = 0;
        source->crop_percentage = 0;
    } else if (source->crop_percentage > 0) {
        return source->has_size ? eng_card_settle_size(source, place->err) : ENG_OK;
    } else if (pre->shorter_side_px == 0) {
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: preprocess.shorter_side is missing; wanted it or crop_percentage with "
                        "resize \"center_crop\"",
                        place->path);
    } else if (pre->shorter_side_px < longer) {
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: preprocess.shorter_side is %u; wanted %u or more with resize "
                        "\"center_crop\"",
                        place->path, pre->shorter_side_px, longer);
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

/* Takes value; false when out of memory. */
static bool add_take(json_t *object, const char *key, json_t *value)
{
    return value && json_object_set_new(object, key, value) == 0;
}

/* The keys whose absence means what every file means that does not have them. */
static bool add_rare_keys(json_t *object, const struct eng_preprocess *pre)
{
    const uint8_t *ground = pre->background;
    bool ok = true;
    if (pre->resize == ENG_RESIZE_CENTER_CROP)
        ok = add_take(object, "shorter_side", json_integer(pre->shorter_side_px));
    if (ok && pre->filter != ENG_FILTER_BILINEAR)
        ok = add_take(object, "filter", json_string(filters[pre->filter]));
    if (ok && pre->aliased) ok = add_take(object, "antialias", json_false());
    if (ok && (ground[0] || ground[1] || ground[2]))
        ok = add_take(object, "background", json_pack("[iii]", ground[0], ground[1], ground[2]));
    return ok;
}

json_t *card_preprocess_json(const struct eng_preprocess *pre)
{
    size_t n = eng_preprocess_channels(pre);
    json_t *object =
        json_pack("{ss ss ss si si sf so so}", "color", colors[pre->color], "resize",
                  resizes[pre->resize], "layout", layouts[pre->layout], "width", (int)pre->width_px,
                  "height", (int)pre->height_px, "scale", (double)pre->scale, "mean",
                  channels_json(pre->mean, n), "std", channels_json(pre->std, n));
    if (!object || add_rare_keys(object, pre)) return object;
    json_decref(object);
    return NULL;
}
