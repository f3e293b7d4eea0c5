#include "train/augment.h"

#include <math.h>
#include <string.h>

const struct eng_field eng_augment_fields[] = {
    ENG_F_FLOAT(struct eng_augment_options, shift_px, 0, 0, 1024, "pixels, in both directions"),
    ENG_F_FLOAT(struct eng_augment_options, rotate_degrees, 0, 0, 180, "about the middle"),
    ENG_F_FLOAT(struct eng_augment_options, zoom, 0, 0, 0.9, "change of size, as a share of it"),
    ENG_F_BOOL(struct eng_augment_options, flip_horizontal, 0, "mirror every other picture"),
};

const size_t eng_n_augment_fields = sizeof eng_augment_fields / sizeof *eng_augment_fields;

/* Output pixel (x, y) comes from (xx x + xy y + x0, yx x + yy y + y0). */
struct mapping {
    float xx, xy, x0;
    float yx, yy, y0;
};

static float draw(struct eng_rng *rng, double range)
{
    return (float)range * (2 * eng_rng_float(rng) - 1);
}

/* Every value is drawn even if its range is 0, so that one setting does not disturb the others. */
static struct mapping draw_mapping(const struct eng_augment_options *options, struct eng_rng *rng,
                                   uint32_t width_px, uint32_t height_px)
{
    float shift_x = draw(rng, options->shift_px), shift_y = draw(rng, options->shift_px);
    float angle = draw(rng, options->rotate_degrees * M_PI / 180);
    float size = 1 + draw(rng, options->zoom);
    bool flip = options->flip_horizontal && (eng_rng_u64(rng) & 1);
    if (options->rotate_degrees == 0 && options->zoom == 0) {
        shift_x = roundf(shift_x); /* whole pixels stay sharp */
        shift_y = roundf(shift_y);
    }
    float cosine = cosf(angle) / size, sine = sinf(angle) / size, mirror = flip ? -1 : 1;
    float middle_x = (float)(width_px - 1) / 2, middle_y = (float)(height_px - 1) / 2;
    struct mapping m = {.xx = mirror * cosine, .xy = mirror * sine, .yx = -sine, .yy = cosine};
    m.x0 = middle_x - m.xx * (middle_x + shift_x) - m.xy * (middle_y + shift_y);
    m.y0 = middle_y - m.yx * (middle_x + shift_x) - m.yy * (middle_y + shift_y);
    return m;
}

/* A picture to take samples from. */
struct source {
    const uint8_t *pixels;
    int width_px, height_px;
    size_t n_channels;
};

static float pixel(const struct source *s, int x, int y, size_t channel)
{
    if (x < 0 || y < 0 || x >= s->width_px || y >= s->height_px) return 0;
    return s->pixels[((size_t)y * (size_t)s->width_px + (size_t)x) * s->n_channels + channel];
}

static uint8_t bilinear(const struct source *s, float x, float y, size_t channel)
{
    float left = floorf(x), top = floorf(y), right_share = x - left, bottom_share = y - top;
    int ix = (int)left, iy = (int)top;
    float upper =
        pixel(s, ix, iy, channel) * (1 - right_share) + pixel(s, ix + 1, iy, channel) * right_share;
    float lower = pixel(s, ix, iy + 1, channel) * (1 - right_share) +
                  pixel(s, ix + 1, iy + 1, channel) * right_share;
    return (uint8_t)(upper * (1 - bottom_share) + lower * bottom_share + 0.5f);
}

static bool does_nothing(const struct eng_augment_options *options)
{
    return options->shift_px == 0 && options->rotate_degrees == 0 && options->zoom == 0 &&
           !options->flip_horizontal;
}

void eng_augment_run(const struct eng_augment_options *options, struct eng_rng *rng,
                     const uint8_t *src, uint32_t width_px, uint32_t height_px, uint32_t n_channels,
                     uint8_t *dst)
{
    if (does_nothing(options)) { /* four taps a pixel would come to the same */
        memcpy(dst, src, (size_t)width_px * height_px * n_channels);
        return;
    }
    struct mapping m = draw_mapping(options, rng, width_px, height_px);
    struct source s = {src, (int)width_px, (int)height_px, n_channels};
    for (uint32_t y = 0; y < height_px; y++)
        for (uint32_t x = 0; x < width_px; x++) {
            float from_x = m.xx * (float)x + m.xy * (float)y + m.x0;
            float from_y = m.yx * (float)x + m.yy * (float)y + m.y0;
            for (size_t c = 0; c < n_channels; c++)
                *dst++ = bilinear(&s, from_x, from_y, c);
        }
}
