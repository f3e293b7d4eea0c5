/* Cards in the form of config.json: all of the preprocessing, or what was guessed. */
#include "describe_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* With no more digits than bring the same float back: 0.485, not 0.485000014. */
static json_t *float_json(float value)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    return json_real(strtod(text, NULL));
}

static json_t *channels_json(const float *values, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t c = 0; c < n; c++)
        json_array_append_new(list, float_json(values[c]));
    return list;
}

json_t *describe_preprocess_json(const struct eng_preprocess *pre)
{
    uint32_t n_channels = eng_preprocess_channels(pre);
    const uint8_t *ground = pre->background;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:b, s:o, s:s, s:i, s:i, s:o, s:o, s:o}", "color", describe_color(pre),
        "resize", describe_resize(pre), "filter", describe_filter(pre), "antialias", !pre->aliased,
        "background", json_pack("[i, i, i]", ground[0], ground[1], ground[2]), "layout",
        describe_layout(pre), "width", (int)pre->width_px, "height", (int)pre->height_px, "scale",
        float_json(pre->scale), "mean", channels_json(pre->mean, n_channels), "std",
        channels_json(pre->std, n_channels));
    if (pre->resize == ENG_RESIZE_CENTER_CROP)
        json_object_set_new(object, "shorter_side", json_integer(pre->shorter_side_px));
    return object;
}

/* Which keys of preprocess an item stands for. */
static const struct {
    enum eng_card_item item;
    const char *key;
} keys[] = {
    {ENG_CARD_COLOR, "color"},  {ENG_CARD_LAYOUT, "layout"}, {ENG_CARD_SIZE, "width"},
    {ENG_CARD_SIZE, "height"},  {ENG_CARD_RESIZE, "resize"}, {ENG_CARD_RESIZE, "shorter_side"},
    {ENG_CARD_VALUES, "scale"}, {ENG_CARD_VALUES, "mean"},   {ENG_CARD_VALUES, "std"},
};

static bool is_guessed(const struct eng_card *card, enum eng_card_item item)
{
    return card->origin[item] == ENG_ORIGIN_GUESSED;
}

json_t *describe_config_json(const struct eng_card *card)
{
    json_t *config = json_object(), *pre = json_object(),
           *all = describe_preprocess_json(&card->preprocess);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_guessed(card, keys[i].item))
            json_object_set(pre, keys[i].key, json_object_get(all, keys[i].key));
    if (json_object_size(pre) > 0) json_object_set(config, "preprocess", pre);
    if (is_guessed(card, ENG_CARD_LABELS))
        json_object_set_new(config, "labels_file", json_string("labels.txt"));
    if (is_guessed(card, ENG_CARD_OUTPUT))
        json_object_set_new(config, "output", json_string(card->output));
    if (is_guessed(card, ENG_CARD_SOFTMAX))
        json_object_set_new(config, "softmax", json_boolean(card->add_softmax));
    json_decref(pre);
    json_decref(all);
    return config;
}

static void print_presets(void)
{
    static const char *const names[] = {
#define PRESET(name, ...) name,
#include "model/presets.def"
#undef PRESET
    };
    printf("\"preset\" in preprocess says several keys at once:");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s %s", i ? "," : "", names[i]);
    puts("");
}

void describe_print_config(const struct eng_card *card)
{
    json_t *config = describe_config_json(card);
    if (json_object_size(config) > 0) {
        puts("\nWhat was guessed may be wrong. A config.json in the version folder or beside it "
             "says what\n"
             "is right, and so do the options of classify import. As guessed it would be:");
        tool_json_write(config, stdout, NULL);
        puts("");
        if (is_guessed(card, ENG_CARD_VALUES)) print_presets();
        puts("");
    }
    json_decref(config);
}
