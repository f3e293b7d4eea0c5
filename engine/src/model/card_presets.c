/* The named presets: presets.def as data. */
#include "base/error.h"
#include "base/spelling.h"
#include "model/card_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    COLOR_ANY = -1,
    COLOR_GRAY = ENG_COLOR_GRAY,
    COLOR_RGB = ENG_COLOR_RGB,
    COLOR_BGR = ENG_COLOR_BGR
};

struct preset {
    const char *name;
    int color; /* an enum eng_color, or COLOR_ANY */
    enum eng_resize resize;
    double crop_percentage;
    uint32_t side_px;
    float scale, mean[3], std[3];
};

#define THREE(a, b, c)                     \
    {                                      \
        (float)(a), (float)(b), (float)(c) \
    }

static const struct preset presets[] = {
#define PRESET(name, color, resize, crop, side, scale, mean, std, text) \
    {name, COLOR_##color, ENG_RESIZE_##resize, crop, side, (float)(scale), THREE mean, THREE std},
#include "model/presets.def"
#undef PRESET
};

enum { N_PRESETS = sizeof presets / sizeof *presets };

static enum eng_status fail_name(const struct eng_json_place *place, const char *name)
{
    const char *names[N_PRESETS + 1] = {NULL};
    char list[200];
    size_t n = 0;
    for (size_t i = 0; i < N_PRESETS; i++) {
        names[i] = presets[i].name;
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = eng_text_nearest(name, names);
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%spreset is '%.60s'; wanted one of: %s%s%s%s",
                    place->path, place->where, place->where[0] ? "." : "", name, list,
                    nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static void take_values(const struct preset *preset, struct eng_preprocess *pre)
{
    pre->scale = preset->scale;
    memcpy(pre->mean, preset->mean, sizeof pre->mean);
    memcpy(pre->std, preset->std, sizeof pre->std);
}

static void apply(const struct preset *preset, struct card_draft *draft)
{
    static const enum eng_card_item items[] = {ENG_CARD_RESIZE, ENG_CARD_FILTER, ENG_CARD_VALUES};
    struct eng_card_source *source = &draft->source;
    struct eng_preprocess *pre = &source->card.preprocess;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        source->card.origin[items[i]] = draft->origin;
    if (preset->color != COLOR_ANY) {
        pre->color = (enum eng_color)preset->color;
        source->has_color = true;
        source->card.origin[ENG_CARD_COLOR] = draft->origin;
    }
    pre->resize = preset->resize;
    pre->filter = ENG_FILTER_BILINEAR;
    pre->aliased = false;
    pre->shorter_side_px = 0;
    source->crop_percentage = preset->crop_percentage;
    source->default_side_px = preset->side_px;
    take_values(preset, pre);
    bool one_for_all = preset->color == COLOR_ANY || preset->color == COLOR_GRAY;
    draft->n_mean = draft->n_std = one_for_all ? 1 : 3;
    draft->has_scale = true;
    source->has_preprocess = true;
}

static const struct preset *find(const char *name)
{
    for (size_t i = 0; i < N_PRESETS; i++)
        if (strcmp(presets[i].name, name) == 0) return &presets[i];
    return NULL;
}

static void swap(float values[3])
{
    float first = values[0];
    values[0] = values[2];
    values[2] = first;
}

void eng_card_take_values(struct eng_card_source *source, const char *name)
{
    const struct preset *preset = find(name);
    struct eng_preprocess *pre = &source->card.preprocess;
    assert(preset && (preset->color == COLOR_RGB || preset->color == COLOR_BGR));
    take_values(preset, pre);
    if (source->card.origin[ENG_CARD_COLOR] == ENG_ORIGIN_GUESSED)
        pre->color = (enum eng_color)preset->color;
    if (pre->color == (enum eng_color)preset->color) return;
    swap(pre->mean);
    swap(pre->std);
}

enum eng_status card_set_preset(const struct eng_json_place *place, const char *name,
                                struct card_draft *draft)
{
    const struct preset *preset = find(name);
    if (!preset) return fail_name(place, name);
    apply(preset, draft);
    return ENG_OK;
}
