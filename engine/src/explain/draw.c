#include "explain/draw.h"

#include "base/error.h"
#include "base/mem.h"

enum { MAX_SCALE = 64 };

enum eng_status eng_explain_choose_scale(const struct eng_explain_view *view, uint32_t width_px,
                                         uint32_t height_px, uint32_t wanted_px, uint32_t *scale,
                                         struct eng_error *err)
{
    uint32_t side = width_px < height_px ? width_px : height_px;
    if (view->scale > MAX_SCALE)
        return eng_fail(err, ENG_ARGUMENT, "the scale is %u, wanted 1 to %d, or 0", view->scale,
                        MAX_SCALE);
    uint32_t enough = (wanted_px + side - 1) / side;
    *scale = view->scale ? view->scale : enough < MAX_SCALE ? enough : MAX_SCALE;
    return ENG_OK;
}

enum eng_status eng_explain_create_drawing(uint64_t width_px, uint64_t height_px,
                                           struct eng_image *out, struct eng_error *err)
{
    uint64_t most = eng_image_limits_default().n_pixels;
    if (width_px > ENG_IMAGE_MAX_SIDE_PX || height_px > ENG_IMAGE_MAX_SIDE_PX ||
        width_px * height_px > most)
        return eng_fail(err, ENG_LIMIT,
                        "the drawing would have %llu x %llu pixels, wanted at most %d a side and "
                        "%llu in all: a smaller scale",
                        (unsigned long long)width_px, (unsigned long long)height_px,
                        ENG_IMAGE_MAX_SIDE_PX, (unsigned long long)most);
    uint8_t *pixels = eng_calloc(width_px * height_px, 3);
    if (!pixels) return eng_fail_memory(err, "a drawing");
    *out = (struct eng_image){(uint32_t)width_px, (uint32_t)height_px, 3, pixels};
    return ENG_OK;
}

static enum eng_status check_picture(const struct eng_explanation *explanation,
                                     const struct eng_preprocess *pre,
                                     const struct eng_explain_view *view, struct eng_error *err)
{
    const struct eng_image *picture = view->picture;
    if (explanation->map &&
        (explanation->width_px != pre->width_px || explanation->height_px != pre->height_px))
        return eng_fail(
            err, ENG_ARGUMENT, "the map has %u x %u pixels, the model's picture %u x %u",
            explanation->width_px, explanation->height_px, pre->width_px, pre->height_px);
    if (!picture) return ENG_OK;
    if (picture->width_px < 1 || picture->width_px > ENG_IMAGE_MAX_SIDE_PX ||
        picture->height_px < 1 || picture->height_px > ENG_IMAGE_MAX_SIDE_PX ||
        picture->n_channels < 1 || picture->n_channels > 4)
        return eng_fail(err, ENG_ARGUMENT,
                        "the picture has %u x %u pixels of %u channels, wanted sides of 1 to %d "
                        "and 1 to 4 channels",
                        picture->width_px, picture->height_px, picture->n_channels,
                        ENG_IMAGE_MAX_SIDE_PX);
    if (!view->is_original &&
        (picture->width_px != pre->width_px || picture->height_px != pre->height_px))
        return eng_fail(err, ENG_ARGUMENT,
                        "the picture has %u x %u pixels, wanted the model's %u x %u, or "
                        "is_original",
                        picture->width_px, picture->height_px, pre->width_px, pre->height_px);
    return ENG_OK;
}

enum eng_status eng_explanation_draw(const struct eng_explanation *explanation,
                                     const struct eng_model *model,
                                     const struct eng_explain_view *view, struct eng_image *out,
                                     struct eng_error *err)
{
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    enum eng_status status = check_picture(explanation, pre, view, err);
    if (status != ENG_OK) return status;
    if (explanation->map) return eng_explain_draw_map(explanation, model, view, out, err);
    if (!view->picture || view->is_original)
        return eng_fail(err, ENG_ARGUMENT,
                        "neighbours are drawn beside the picture that the model saw; wanted it");
    return eng_explain_draw_neighbours(explanation, view, out, err);
}
