#include "train/augment.h"

#include "train/streams.h"

#include <math.h>
#include <string.h>

static const char *const mirror_names[] = {"none", "random", "alternate", NULL};
static const char *const pad_names[] = {"zero", "reflect", "edge", NULL};

const struct eng_field eng_augment_fields[] = {
    ENG_F_FLOAT(struct eng_augment_options, shift_px, 0, 0, 1024, "pixels, in both directions"),
    ENG_F_FLOAT(struct eng_augment_options, rotate_degrees, 0, 0, 180, "about the middle"),
    ENG_F_FLOAT(struct eng_augment_options, zoom, 0, 0, 0.9, "change of size, as a share of it"),
    ENG_F_INT(struct eng_augment_options, crop_px, 0, 0, 1024, "pad by so much, cut the size out"),
    ENG_F_BOOL(struct eng_augment_options, flip_horizontal, 0, "mirror every other picture"),
    ENG_F_CHOICE(struct eng_augment_options, mirror, ENG_MIRROR_NONE, mirror_names,
                 "which pictures are mirrored"),
    ENG_F_BOOL(struct eng_augment_options, flip_vertical, 0, "turn every other one upside down"),
    ENG_F_CHOICE(struct eng_augment_options, pad, ENG_PAD_ZERO, pad_names,
                 "what comes in from outside"),
    ENG_F_FLOAT(struct eng_augment_options, brightness, 0, 0, 1, "pixels times 1 - it to 1 + it"),
    ENG_F_FLOAT(struct eng_augment_options, contrast, 0, 0, 1, "distances from the mean likewise"),
    ENG_F_INT(struct eng_augment_options, cutout_px, 0, 0, 4096, "side of a square of mean"),
    ENG_F_FLOAT(struct eng_augment_options, mixup, 0, 0, 1000, "alpha: mix samples in pairs"),
};

const size_t eng_n_augment_fields = sizeof eng_augment_fields / sizeof *eng_augment_fields;

/* What is drawn for one variant, whatever is asked for: so no setting disturbs another's draws. */
struct draws {
    float shift_x, shift_y; /* pixels */
    float angle;            /* radians */
    float size;             /* factor */
    bool flip_horizontal, flip_vertical;
    int crop_x, crop_y; /* pixels */
    float brightness, contrast;
    int cut_x, cut_y; /* middle of the square */
};

static float draw(struct eng_rng *rng, double range)
{
    return (float)range * (2 * eng_rng_float(rng) - 1);
}

static bool draw_coin(struct eng_rng *rng)
{
    return eng_rng_u64(rng) & 1;
}

/* Evenly one of -range, -range + 1 ... range. */
static int draw_whole(struct eng_rng *rng, int64_t range)
{
    return (int)((int64_t)eng_rng_below(rng, 2 * (uint64_t)range + 1) - range);
}

/* Sample by sample a coin that falls the same way in every epoch; then it turns over each time. */
static bool is_alternate(const struct eng_augment_variant *variant)
{
    struct eng_rng rng = eng_stream_rng(variant->seed, ENG_STREAM_MIRROR, 0, variant->sample);
    return draw_coin(&rng) != (variant->epoch & 1);
}

static struct draws draw_all(const struct eng_augment_options *options,
                             const struct eng_augment_variant *variant,
                             const struct eng_picture_size *size)
{
    struct eng_rng rng =
        eng_stream_rng(variant->seed, ENG_STREAM_AUGMENT, variant->epoch, variant->sample);
    struct draws d;
    d.shift_x = draw(&rng, options->shift_px);
    d.shift_y = draw(&rng, options->shift_px);
    d.angle = draw(&rng, options->rotate_degrees * M_PI / 180);
    d.size = 1 + draw(&rng, options->zoom);
    d.flip_horizontal =
        draw_coin(&rng) && (options->flip_horizontal || options->mirror == ENG_MIRROR_RANDOM);
    d.flip_vertical = draw_coin(&rng) && options->flip_vertical;
    d.crop_x = draw_whole(&rng, options->crop_px);
    d.crop_y = draw_whole(&rng, options->crop_px);
    d.brightness = 1 + draw(&rng, options->brightness);
    d.contrast = 1 + draw(&rng, options->contrast);
    d.cut_x = (int)eng_rng_below(&rng, (uint64_t)size->width_px);
    d.cut_y = (int)eng_rng_below(&rng, (uint64_t)size->height_px);
    if (options->mirror == ENG_MIRROR_ALTERNATE) d.flip_horizontal = is_alternate(variant);
    return d;
}

/* Turned and zoomed about the middle, which the shift moves. */
static struct eng_warp warp_of(const struct draws *d, const struct eng_picture_size *size)
{
    float right = d->shift_x + (float)d->crop_x, down = d->shift_y + (float)d->crop_y;
    float cosine = cosf(d->angle) / d->size, sine = sinf(d->angle) / d->size;
    float mirror_x = d->flip_horizontal ? -1 : 1, mirror_y = d->flip_vertical ? -1 : 1;
    float middle_x = (float)(size->width_px - 1) / 2, middle_y = (float)(size->height_px - 1) / 2;
    struct eng_warp w = {.xx = mirror_x * cosine,
                         .xy = mirror_x * sine,
                         .yx = -mirror_y * sine,
                         .yy = mirror_y * cosine};
    w.x0 = middle_x - w.xx * (middle_x + right) - w.xy * (middle_y + down);
    w.y0 = middle_y - w.yx * (middle_x + right) - w.yy * (middle_y + down);
    return w;
}

/* Whole pixels stay sharp, and are fast. */
static struct eng_move move_of(const struct draws *d)
{
    return (struct eng_move){.flip_horizontal = d->flip_horizontal,
                             .flip_vertical = d->flip_vertical,
                             .right_px = (int)roundf(d->shift_x) + d->crop_x,
                             .down_px = (int)roundf(d->shift_y) + d->crop_y};
}

static bool is_identity(const struct eng_move *move)
{
    return !move->flip_horizontal && !move->flip_vertical && move->right_px == 0 &&
           move->down_px == 0;
}

static void place(const struct eng_augment_options *options, const struct draws *d,
                  const struct eng_picture_size *size, const uint8_t *src, uint8_t *dst)
{
    enum eng_pad pad = (enum eng_pad)options->pad;
    if (options->rotate_degrees > 0 || options->zoom > 0) {
        struct eng_warp warp = warp_of(d, size);
        eng_picture_warp(size, &warp, pad, src, dst);
        return;
    }
    struct eng_move move = move_of(d);
    if (is_identity(&move))
        memcpy(dst, src, (size_t)size->width_px * (size_t)size->height_px * size->n_channels);
    else
        eng_picture_move(size, &move, pad, src, dst);
}

void eng_augment_run(const struct eng_augment_options *options,
                     const struct eng_augment_variant *variant, const uint8_t *src,
                     uint32_t width_px, uint32_t height_px, uint32_t n_channels, uint8_t *dst)
{
    const struct eng_picture_size size = {(int)width_px, (int)height_px, n_channels};
    struct draws d = draw_all(options, variant, &size);
    place(options, &d, &size, src, dst);
    if (options->brightness > 0 || options->contrast > 0)
        eng_picture_light(&size, d.brightness, d.contrast, dst);
    int side = (int)options->cutout_px;
    if (side > 0)
        eng_picture_cut(&size, d.cut_x - side / 2, d.cut_y - side / 2, side, variant->mean, dst);
}
