#include "model/card_parts.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* The image keys of ONNX's metadata spec: what they mean for pixels of 0 to 255. */

static const struct {
    const char *name;
    enum eng_color color;
} formats[] = {
    {"Gray8", ENG_COLOR_GRAY},
    {"Rgb8", ENG_COLOR_RGB},
    {"Bgr8", ENG_COLOR_BGR},
};

static const struct {
    const char *name;
    float scale, mean; /* value = pixel * scale - mean */
} ranges[] = {
    {"NominalRange_0_255", 1.0f, 0.0f},
    {"Normalized_0_1", 1.0f / 255.0f, 0.0f},
    {"Normalized_1_1", 2.0f / 255.0f, 1.0f},
    {"NominalRange_16_235", 219.0f / 255.0f, -16.0f},
};

enum { N_FORMATS = sizeof formats / sizeof *formats, N_RANGES = sizeof ranges / sizeof *ranges };

static const char *find(const struct onnx_model *onnx, const char *key)
{
    for (size_t i = 0; i < onnx->n_properties; i++)
        if (strcmp(onnx->properties[i].key, key) == 0) return onnx->properties[i].value;
    return NULL;
}

static enum eng_status read_format(const struct eng_json_place *place, const char *value,
                                   struct card_draft *draft)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(formats[i].name, value) != 0) continue;
        draft->source.card.preprocess.color = formats[i].color;
        draft->source.has_color = true;
        draft->source.card.origin[ENG_CARD_COLOR] = draft->origin;
        return ENG_OK;
    }
    return eng_fail(place->err, ENG_UNSUPPORTED,
                    "%s: Image.BitmapPixelFormat is '%.40s'; wanted Gray8, Rgb8 or Bgr8",
                    place->path, value);
}

static enum eng_status read_range(const struct eng_json_place *place, const char *value,
                                  struct card_draft *draft)
{
    struct eng_preprocess *pre = &draft->source.card.preprocess;
    for (size_t i = 0; i < N_RANGES; i++) {
        if (strcmp(ranges[i].name, value) != 0) continue;
        pre->scale = ranges[i].scale;
        for (int c = 0; c < 3; c++)
            pre->mean[c] = ranges[i].mean;
        draft->has_scale = true;
        draft->source.has_preprocess = true;
        draft->source.card.origin[ENG_CARD_VALUES] = draft->origin;
        return ENG_OK;
    }
    return eng_fail(place->err, ENG_UNSUPPORTED,
                    "%s: Image.NominalPixelRange is '%.40s'; wanted NominalRange_0_255, "
                    "Normalized_0_1, Normalized_1_1 or NominalRange_16_235",
                    place->path, value);
}

enum eng_status card_read_image_keys(const struct eng_json_place *place,
                                     const struct onnx_model *onnx, struct card_draft *draft)
{
    const char *format = find(onnx, "Image.BitmapPixelFormat");
    const char *range = find(onnx, "Image.NominalPixelRange");
    const char *gamma = find(onnx, "Image.ColorSpaceGamma");
    if (gamma && strcmp(gamma, "SRGB") != 0)
        return eng_fail(place->err, ENG_UNSUPPORTED,
                        "%s: Image.ColorSpaceGamma is '%.40s'; wanted SRGB", place->path, gamma);
    enum eng_status status = format ? read_format(place, format, draft) : ENG_OK;
    return status == ENG_OK && range ? read_range(place, range, draft) : status;
}

const char *card_pixel_format(const struct eng_preprocess *pre)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (formats[i].color == pre->color) return formats[i].name;
    return NULL;
}

const char *card_pixel_range(const struct eng_preprocess *pre)
{
    for (size_t i = 0; i < N_RANGES; i++) {
        bool same = fabsf(pre->scale - ranges[i].scale) <= 1e-6f * ranges[i].scale;
        for (uint32_t c = 0; c < eng_preprocess_channels(pre); c++)
            same = same && pre->mean[c] == ranges[i].mean && pre->std[c] == 1.0f;
        if (same) return ranges[i].name;
    }
    return NULL;
}
