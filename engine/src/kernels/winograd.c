#include "kernels/winograd.h"

#include "base/mem.h"
#include "kernels/dispatch.h"

#include <string.h>

/*
 * Images come in waves. A wave is staged with its channels innermost and its borders in place, so
 * that every transform works on whole vectors of channels; then WAVE_TILES tiles at a time go
 * through transform, 36 products and transform back:
 *
 *     weights  u [36, in, out_pitch]
 *     patches  v [36, tiles, in_pitch]
 *     results  m [36, tiles, out_pitch]      m = v u
 *
 * 36 times 96 tiles of 256 channels make 3.5 MB: the arrays of one product lie in the L2 cache,
 * those of all 36 in the L3 cache.
 */
enum {
    TILE = 4,
    KERNEL = 3,
    N_TAPS = KERNEL * KERNEL,
    PATCH = TILE + KERNEL - 1,
    N_POINTS = PATCH * PATCH,
    WAVE_TILES = 96,   /* whole tiles of 6, 8, 12 and 16 rows */
    MIN_CHANNELS = 12, /* below, transforming takes longer than it saves */
    /* Added to the steps between the 36 arrays: at a power of two all would fight for one cache
       set. */
    POINT_GAP = 16,
};

/* Images, staged: [rows, columns, pitch] each. */
struct stage {
    size_t n_channels, pitch;        /* the pitch is rounded up to whole blocks */
    size_t rows, columns, top, left; /* where pixel (0, 0) goes */
    size_t height, width;            /* pixels that there are */
    size_t image;                    /* floats of one */
};

struct layout {
    struct stage in, out;
    size_t tiles_y, tiles_x, tiles; /* of one image */
    size_t wave;                    /* images staged at a time */
    size_t block;                   /* tiles transformed at a time */
    size_t u_step, v_step, m_step;  /* floats between two of the 36 arrays */
    size_t u, v, m, x, y;           /* where each starts in the scratch, in floats */
    size_t pixels;                  /* where the two tables of pixels start, in bytes */
    size_t bytes;
};

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

bool eng_winograd_suits(const struct eng_correlation *c)
{
    const struct eng_window *w = &c->window;
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != KERNEL || w->stride[a] != 1 || w->dilation[a] != 1 ||
            w->pad_begin[a] + w->in[a] > w->out[a] + KERNEL - 1)
            return false;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && c->n_groups == 1 &&
           c->in_channels >= MIN_CHANNELS && c->out_channels >= MIN_CHANNELS;
}

static bool init_stage(struct stage *s, size_t n_channels)
{
    s->n_channels = n_channels;
    s->pitch = divide_up(n_channels, ENG_CHANNEL_BLOCK) * ENG_CHANNEL_BLOCK;
    return eng_mul_size(s->rows, s->columns, &s->image) &&
           eng_mul_size(s->image, s->pitch, &s->image);
}

/* Appends n arrays of `floats` each. */
static bool append(size_t *end, size_t n, size_t floats, size_t *at)
{
    size_t size;
    *at = *end;
    return eng_mul_size(n, floats, &size) && eng_add_size(*end, size, end);
}

static bool make_layout(const struct eng_correlation *c, struct layout *l)
{
    const struct eng_window *w = &c->window;
    *l = (struct layout){.tiles_y = divide_up((size_t)w->out[1], TILE),
                         .tiles_x = divide_up((size_t)w->out[2], TILE)};
    l->in = (struct stage){.rows = TILE * l->tiles_y + KERNEL - 1,
                           .columns = TILE * l->tiles_x + KERNEL - 1,
                           .top = (size_t)w->pad_begin[1],
                           .left = (size_t)w->pad_begin[2],
                           .height = (size_t)w->in[1],
                           .width = (size_t)w->in[2]};
    l->out = (struct stage){.rows = TILE * l->tiles_y,
                            .columns = TILE * l->tiles_x,
                            .height = (size_t)w->out[1],
                            .width = (size_t)w->out[2]};
    if (!init_stage(&l->in, c->in_channels) || !init_stage(&l->out, c->out_channels)) return false;
    l->tiles = l->tiles_y * l->tiles_x;
    l->wave = l->tiles < WAVE_TILES ? WAVE_TILES / l->tiles : 1;
    if (l->wave > c->n_images) l->wave = c->n_images;
    l->block = l->wave * l->tiles < WAVE_TILES ? l->wave * l->tiles : WAVE_TILES;
    if (!eng_mul_size(c->in_channels, l->out.pitch, &l->u_step)) return false;
    l->u_step += POINT_GAP;
    l->v_step = l->block * l->in.pitch + POINT_GAP;
    l->m_step = l->block * l->out.pitch + POINT_GAP;
    size_t floats = 0, n_pixels = l->in.height * l->in.width + l->out.height * l->out.width;
    return append(&floats, N_POINTS, l->u_step, &l->u) &&
           append(&floats, N_POINTS, l->v_step, &l->v) &&
           append(&floats, N_POINTS, l->m_step, &l->m) &&
           append(&floats, l->wave, l->in.image, &l->x) &&
           append(&floats, l->wave, l->out.image, &l->y) &&
           eng_mul_size(floats, sizeof(float), &l->pixels) &&
           eng_mul_size(n_pixels, sizeof(size_t), &l->bytes) &&
           eng_add_size(l->pixels, l->bytes, &l->bytes);
}

bool eng_winograd_scratch_bytes(const struct eng_correlation *c, size_t *out)
{
    struct layout l;
    if (!make_layout(c, &l)) return false;
    *out = l.bytes;
    return true;
}

/* One run: the layout's arrays in memory. */
struct run {
    const struct eng_correlation *c;
    struct layout l;
    const struct eng_kernels *kernels;
    float *u, *v, *m, *x, *y;
    size_t *in_pixels, *out_pixels; /* where each pixel of a plane is staged */
};

static void place_pixels(const struct stage *s, size_t *at)
{
    for (size_t row = 0; row < s->height; row++)
        for (size_t column = 0; column < s->width; column++)
            *at++ = ((s->top + row) * s->columns + s->left + column) * s->pitch;
}

static bool start(struct run *r, const struct eng_correlation *c, void *scratch)
{
    *r = (struct run){.c = c, .kernels = eng_kernels()};
    if (c->n_images == 0 || !make_layout(c, &r->l)) return false;
    float *floats = scratch;
    r->u = floats + r->l.u;
    r->v = floats + r->l.v;
    r->m = floats + r->l.m;
    r->x = floats + r->l.x;
    r->y = floats + r->l.y;
    r->in_pixels = (size_t *)((char *)scratch + r->l.pixels);
    r->out_pixels = r->in_pixels + r->l.in.height * r->l.in.width;
    place_pixels(&r->l.in, r->in_pixels);
    place_pixels(&r->l.out, r->out_pixels);
    /* Borders and channels that only fill up a block stay zero. */
    memset(r->x, 0, r->l.wave * r->l.in.image * sizeof *r->x);
    memset(r->y, 0, r->l.wave * r->l.out.image * sizeof *r->y);
    return true;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Squares of one image between [channels, pixels] and the stage. */
static void stage_image(const struct run *r, const struct stage *s, const size_t *pixels,
                        const float *image, float *staged)
{
    size_t n_pixels = s->height * s->width, channels[ENG_CHANNEL_BLOCK];
    for (size_t c = 0; c < s->n_channels; c += ENG_CHANNEL_BLOCK) {
        size_t n = smaller(s->n_channels - c, ENG_CHANNEL_BLOCK);
        for (size_t k = 0; k < n; k++)
            channels[k] = (c + k) * n_pixels;
        for (size_t p = 0; p < n_pixels; p += ENG_CHANNEL_BLOCK)
            r->kernels->transpose(
                &(struct eng_transpose){.n_rows = (int)n,
                                        .n_columns = (int)smaller(n_pixels - p, ENG_CHANNEL_BLOCK),
                                        .from = image + p,
                                        .from_at = channels,
                                        .to = staged + c,
                                        .to_at = pixels + p});
    }
}

static void unstage_image(const struct run *r, const float *staged, float *image)
{
    const struct stage *s = &r->l.out;
    size_t n_pixels = s->height * s->width, channels[ENG_CHANNEL_BLOCK];
    for (size_t c = 0; c < s->n_channels; c += ENG_CHANNEL_BLOCK) {
        size_t n = smaller(s->n_channels - c, ENG_CHANNEL_BLOCK);
        for (size_t k = 0; k < n; k++)
            channels[k] = (c + k) * n_pixels;
        for (size_t p = 0; p < n_pixels; p += ENG_CHANNEL_BLOCK)
            r->kernels->transpose(
                &(struct eng_transpose){.n_rows = (int)smaller(n_pixels - p, ENG_CHANNEL_BLOCK),
                                        .n_columns = (int)n,
                                        .from = staged + c,
                                        .from_at = r->out_pixels + p,
                                        .to = image + p,
                                        .to_at = channels,
                                        .accumulate = r->c->accumulate});
    }
}

/* The stage's corner of tile t of the wave. */
static size_t tile_at(const struct layout *l, const struct stage *s, size_t t)
{
    size_t in_image = t % l->tiles;
    size_t row = in_image / l->tiles_x * TILE, column = in_image % l->tiles_x * TILE;
    return t / l->tiles * s->image + (row * s->columns + column) * s->pitch;
}

/* Tiles [first, first + n) of the wave, from the stage to points. */
static void to_points(const struct run *r, enum eng_transform_kind kind, const struct stage *s,
                      const float *staged, size_t first, size_t n, float *points, size_t step)
{
    for (size_t i = 0; i < n; i++)
        r->kernels->transform[kind](
            &(struct eng_transform){.n_channels = s->pitch,
                                    .from = staged + tile_at(&r->l, s, first + i),
                                    .from_row = s->columns * s->pitch,
                                    .from_column = s->pitch,
                                    .to = points + i * s->pitch,
                                    .to_row = PATCH * step,
                                    .to_column = step});
}

static void from_points(const struct run *r, size_t first, size_t n)
{
    const struct stage *s = &r->l.out;
    for (size_t i = 0; i < n; i++)
        r->kernels->transform[ENG_TRANSFORM_RESULT](
            &(struct eng_transform){.n_channels = s->pitch,
                                    .from = r->m + i * s->pitch,
                                    .from_row = PATCH * r->l.m_step,
                                    .from_column = r->l.m_step,
                                    .to = r->y + tile_at(&r->l, s, first + i),
                                    .to_row = s->columns * s->pitch,
                                    .to_column = s->pitch});
}

/* m = v u for n tiles. */
static void multiply_by_weights(const struct run *r, size_t n)
{
    const struct layout *l = &r->l;
    struct eng_matrix_product product = {.n_rows = n,
                                         .depth = l->in.n_channels,
                                         .n_columns = l->out.pitch,
                                         .a_row = l->in.pitch,
                                         .a_depth = 1,
                                         .b_row = l->out.pitch,
                                         .c_row = l->out.pitch};
    for (size_t k = 0; k < N_POINTS; k++) {
        product.a = r->v + k * l->v_step;
        product.b = r->u + k * l->u_step;
        product.c = r->m + k * l->m_step;
        r->kernels->multiply(&product);
    }
}

/* u += v' m over n tiles, m being a gradient's points. */
static void multiply_by_gradient(const struct run *r, size_t n)
{
    const struct layout *l = &r->l;
    struct eng_matrix_product product = {.n_rows = l->in.n_channels,
                                         .depth = n,
                                         .n_columns = l->out.pitch,
                                         .a_row = 1,
                                         .a_depth = l->in.pitch,
                                         .b_row = l->out.pitch,
                                         .c_row = l->out.pitch,
                                         .accumulate = true};
    for (size_t k = 0; k < N_POINTS; k++) {
        product.a = r->v + k * l->v_step;
        product.b = r->m + k * l->m_step;
        product.c = r->u + k * l->u_step;
        r->kernels->multiply(&product);
    }
}

/* Weights of one block of output channels from one input channel: as [tap, output channel]. */
typedef float taps_block[N_TAPS][ENG_CHANNEL_BLOCK];

static size_t tap_of(const struct eng_correlation *c, size_t tap)
{
    return c->mirrored ? N_TAPS - 1 - tap : tap;
}

static void transform_weights(const struct run *r, const float *w)
{
    const struct eng_correlation *c = r->c;
    taps_block taps;
    for (size_t first = 0; first < c->out_channels; first += ENG_CHANNEL_BLOCK) {
        size_t n = smaller(c->out_channels - first, ENG_CHANNEL_BLOCK);
        memset(taps, 0, sizeof taps);
        for (size_t in = 0; in < c->in_channels; in++) {
            const float *from = w + first * c->w_out + in * c->w_in;
            for (size_t out = 0; out < n; out++)
                for (size_t tap = 0; tap < N_TAPS; tap++)
                    taps[tap_of(c, tap)][out] = from[out * c->w_out + tap];
            r->kernels->transform[ENG_TRANSFORM_WEIGHTS](
                &(struct eng_transform){.n_channels = ENG_CHANNEL_BLOCK,
                                        .from = taps[0],
                                        .from_row = KERNEL * ENG_CHANNEL_BLOCK,
                                        .from_column = ENG_CHANNEL_BLOCK,
                                        .to = r->u + in * r->l.out.pitch + first,
                                        .to_row = PATCH * r->l.u_step,
                                        .to_column = r->l.u_step});
        }
    }
}

static void add_weights_gradient(const struct run *r, float *dw)
{
    const struct eng_correlation *c = r->c;
    taps_block taps;
    for (size_t first = 0; first < c->out_channels; first += ENG_CHANNEL_BLOCK) {
        size_t n = smaller(c->out_channels - first, ENG_CHANNEL_BLOCK);
        for (size_t in = 0; in < c->in_channels; in++) {
            float *to = dw + first * c->w_out + in * c->w_in;
            r->kernels->transform[ENG_TRANSFORM_WEIGHTS_GRADIENT](
                &(struct eng_transform){.n_channels = ENG_CHANNEL_BLOCK,
                                        .from = r->u + in * r->l.out.pitch + first,
                                        .from_row = PATCH * r->l.u_step,
                                        .from_column = r->l.u_step,
                                        .to = taps[0],
                                        .to_row = KERNEL * ENG_CHANNEL_BLOCK,
                                        .to_column = ENG_CHANNEL_BLOCK});
            for (size_t out = 0; out < n; out++)
                for (size_t tap = 0; tap < N_TAPS; tap++)
                    to[out * c->w_out + tap] += taps[tap][out];
        }
    }
}

static size_t image_floats(const struct stage *s)
{
    return s->n_channels * s->height * s->width;
}

/* Bias and activation of one finished image. */
static void finish_image(const struct run *r, const float *bias, struct eng_activation activation,
                         float *y)
{
    size_t n_pixels = r->l.out.height * r->l.out.width;
    for (size_t c = 0; c < r->c->out_channels; c++, y += n_pixels) {
        for (size_t i = 0; bias && i < n_pixels; i++)
            y[i] += bias[c];
        eng_activation_forward(activation, y, y, n_pixels);
    }
}

void eng_winograd_correlate(const struct eng_correlation *c, const float *x, const float *w,
                            const float *bias, struct eng_activation activation, float *y,
                            void *scratch)
{
    struct run r;
    if (!start(&r, c, scratch)) return;
    const struct layout *l = &r.l;
    transform_weights(&r, w);
    for (size_t image = 0; image < c->n_images; image += l->wave) {
        size_t n = smaller(c->n_images - image, l->wave), n_tiles = n * l->tiles;
        for (size_t i = 0; i < n; i++)
            stage_image(&r, &l->in, r.in_pixels, x + (image + i) * image_floats(&l->in),
                        r.x + i * l->in.image);
        for (size_t t = 0; t < n_tiles; t += l->block) {
            size_t tiles = smaller(n_tiles - t, l->block);
            to_points(&r, ENG_TRANSFORM_SOURCE, &l->in, r.x, t, tiles, r.v, l->v_step);
            multiply_by_weights(&r, tiles);
            from_points(&r, t, tiles);
        }
        for (size_t i = 0; i < n; i++) {
            float *to = y + (image + i) * image_floats(&l->out);
            unstage_image(&r, r.y + i * l->out.image, to);
            finish_image(&r, bias, activation, to);
        }
    }
}

void eng_winograd_weights(const struct eng_correlation *c, const float *x, const float *dy,
                          float *dw, void *scratch)
{
    struct run r;
    if (!start(&r, c, scratch)) return;
    const struct layout *l = &r.l;
    memset(r.u, 0, N_POINTS * l->u_step * sizeof *r.u);
    for (size_t image = 0; image < c->n_images; image += l->wave) {
        size_t n = smaller(c->n_images - image, l->wave), n_tiles = n * l->tiles;
        for (size_t i = 0; i < n; i++) {
            stage_image(&r, &l->in, r.in_pixels, x + (image + i) * image_floats(&l->in),
                        r.x + i * l->in.image);
            stage_image(&r, &l->out, r.out_pixels, dy + (image + i) * image_floats(&l->out),
                        r.y + i * l->out.image);
        }
        for (size_t t = 0; t < n_tiles; t += l->block) {
            size_t tiles = smaller(n_tiles - t, l->block);
            to_points(&r, ENG_TRANSFORM_SOURCE, &l->in, r.x, t, tiles, r.v, l->v_step);
            to_points(&r, ENG_TRANSFORM_GRADIENT, &l->out, r.y, t, tiles, r.m, l->m_step);
            multiply_by_gradient(&r, tiles);
        }
    }
    add_weights_gradient(&r, dw);
}
