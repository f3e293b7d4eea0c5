/* A map in colour over the grey picture. */
#include "base/error.h"
#include "base/mem.h"
#include "explain/colors.h"
#include "explain/draw.h"
#include "explain/pixels.h"
#include "image/color.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WANTED_PX = 224, N_COLORS = 256 };
static const double OPACITY = 0.9; /* of the strongest colour */
static const double GREY_SHARE =
    0.75; /* of the picture's brightness: white would outshine colour */
static const double MARGIN_SHARE = 0.3; /* where the model does not look */
static const double FULL_SHARE = 0.99;  /* of the map's pixels lie below the full colour */

/* Between which two of the map's columns, or rows, a pixel of the drawing lies. */
struct tap {
    uint32_t low, high;
    double share; /* of high */
    bool is_inside;
};

struct drawing {
    const struct eng_explanation *explanation;
    const struct eng_preprocess *pre;
    const struct eng_explain_view *view;
    struct eng_image out;
    uint32_t scale;
    double full; /* the map's value that has the full colour */
    struct tap *across, *down;
    uint8_t *grey; /* [picture width] a row of the picture, and room to convert it */
    struct eng_explain_color colors[N_COLORS], for_class, against_class;
};

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The strength below which 99 in 100 pixels lie; the strongest if that is 0. */
static enum eng_status measure_full(struct drawing *d, struct eng_error *err)
{
    size_t n = eng_explain_n_pixels(d->pre);
    float *strengths = eng_calloc(n, sizeof *strengths);
    if (!strengths) return eng_fail_memory(err, "a drawing");
    for (size_t i = 0; i < n; i++)
        strengths[i] = fabsf(d->explanation->map[i]);
    qsort(strengths, n, sizeof *strengths, compare);
    d->full = (double)strengths[(size_t)((double)(n - 1) * FULL_SHARE)];
    if (d->full == 0) d->full = (double)strengths[n - 1];
    free(strengths);
    return ENG_OK;
}

static struct tap tap_at(double at, uint32_t n)
{
    struct tap tap = {.is_inside = at >= 0 && at < n};
    double centre = at - 0.5 > 0 ? at - 0.5 : 0;
    if (centre > n - 1) centre = n - 1;
    tap.low = (uint32_t)centre;
    tap.high = tap.low + 1 < n ? tap.low + 1 : tap.low;
    tap.share = centre - tap.low;
    return tap;
}

static bool make_taps(struct drawing *d, struct eng_preprocess_axis x, struct eng_preprocess_axis y)
{
    d->across = eng_calloc(d->out.width_px, sizeof *d->across);
    d->down = eng_calloc(d->out.height_px, sizeof *d->down);
    if (!d->across || !d->down) return false;
    for (uint32_t i = 0; i < d->out.width_px; i++)
        d->across[i] = tap_at((i + 0.5) / d->scale * x.scale + x.offset, d->pre->width_px);
    for (uint32_t i = 0; i < d->out.height_px; i++)
        d->down[i] = tap_at((i + 0.5) / d->scale * y.scale + y.offset, d->pre->height_px);
    return true;
}

/* -1 to 1. */
static double strength(const struct drawing *d, const struct tap *x, const struct tap *y)
{
    const float *low = d->explanation->map + (size_t)y->low * d->pre->width_px;
    const float *high = d->explanation->map + (size_t)y->high * d->pre->width_px;
    double top = (double)low[x->low] * (1 - x->share) + (double)low[x->high] * x->share;
    double bottom = (double)high[x->low] * (1 - x->share) + (double)high[x->high] * x->share;
    double value = top * (1 - y->share) + bottom * y->share;
    if (d->full > 0) value /= d->full;
    return value < -1 ? -1 : value > 1 ? 1 : value;
}

static void draw_pixel(const struct drawing *d, const struct tap *x, const struct tap *y,
                       uint8_t grey, uint8_t *to)
{
    if (!x->is_inside || !y->is_inside) {
        memset(to, (int)lround(grey * MARGIN_SHARE), 3);
        return;
    }
    double value = strength(d, x, y), opacity = OPACITY * fabs(value);
    const struct eng_explain_color *color = value > 0 ? &d->for_class : &d->against_class;
    if (!d->explanation->is_signed) color = &d->colors[lround(fabs(value) * (N_COLORS - 1))];
    for (int c = 0; c < 3; c++)
        to[c] = (uint8_t)lround(grey * GREY_SHARE * (1 - opacity) + color->rgb[c] * opacity);
}

static void draw(struct drawing *d, const struct eng_image *picture)
{
    size_t n = d->out.width_px;
    const uint8_t *grey = d->grey;
    for (uint32_t y = 0; y < d->out.height_px; y++) {
        if (picture && y % d->scale == 0)
            grey = eng_color_row(picture, y / d->scale, 1, d->pre->background, d->grey);
        for (uint32_t x = 0; x < n; x++)
            draw_pixel(d, &d->across[x], &d->down[y], grey[x / d->scale],
                       d->out.pixels + (y * n + x) * 3);
    }
}

static void choose_colors(struct drawing *d)
{
    for (int i = 0; i < N_COLORS; i++)
        d->colors[i] = eng_explain_rising_color((double)i / (N_COLORS - 1));
    d->for_class = eng_explain_sign_color(1);
    d->against_class = eng_explain_sign_color(-1);
}

/* The size of what is drawn, and the drawing itself. */
static enum eng_status prepare(struct drawing *d, struct eng_error *err)
{
    const struct eng_image *picture = d->view->picture;
    uint32_t width = picture ? picture->width_px : d->pre->width_px;
    uint32_t height = picture ? picture->height_px : d->pre->height_px;
    struct eng_preprocess_axis x = {1, 0}, y = {1, 0};
    if (picture && d->view->is_original) eng_preprocess_window(d->pre, width, height, &x, &y);
    enum eng_status status =
        eng_explain_choose_scale(d->view, width, height, WANTED_PX, &d->scale, err);
    if (status == ENG_OK)
        status = eng_explain_create_drawing((uint64_t)width * d->scale, (uint64_t)height * d->scale,
                                            &d->out, err);
    if (status == ENG_OK) status = measure_full(d, err);
    if (status != ENG_OK) return status;
    d->grey = eng_calloc(width, 1);
    if (!d->grey || !make_taps(d, x, y)) return eng_fail_memory(err, "a drawing");
    choose_colors(d);
    return ENG_OK;
}

enum eng_status eng_explain_draw_map(const struct eng_explanation *explanation,
                                     const struct eng_model *model,
                                     const struct eng_explain_view *view, struct eng_image *out,
                                     struct eng_error *err)
{
    struct drawing d = {
        .explanation = explanation, .pre = &eng_model_card(model)->preprocess, .view = view};
    enum eng_status status = prepare(&d, err);
    if (status == ENG_OK) {
        draw(&d, view->picture);
        *out = d.out;
    } else {
        eng_image_fini(&d.out);
    }
    free(d.across);
    free(d.down);
    free(d.grey);
    return status;
}
