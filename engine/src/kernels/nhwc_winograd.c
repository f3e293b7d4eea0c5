/*
 * Winograd's F(4x4, 3x3) with channels last and weights that were transformed when they were
 * packed.
 *
 *     weights  u [36, panels, in, columns]
 *     patches  v [36, tiles, in]
 *     results  m [36, tiles, out]            m = v u
 *
 * Tiles go in blocks through transform, 36 products and transform back; several blocks are one
 * piece of work with a v and m of its own.
 */
#include "kernels/nhwc.h"

#include "base/mem.h"
#include "kernels/clamp.h"

#include <stdatomic.h>
#include <string.h>

enum {
    TILE = 4,
    KERNEL = 3,
    N_TAPS = KERNEL * KERNEL,
    PATCH = TILE + KERNEL - 1,
    N_POINTS = PATCH * PATCH,
    MAX_BLOCK = 48,          /* tiles: whole tiles of 6, 8, 12 and 16 rows */
    BLOCK_BYTES = 640 << 10, /* of v and m, to stay in the L2 cache beside the weights */
    MAX_SLOTS = 8,           /* pieces at a time */
    GAP = 16,                /* between the 36 arrays, lest they fight for one cache set */
    PIECE_FLOPS = 4000 * 1000,
};

struct layout {
    struct eng_nhwc_padded in;
    size_t tiles_y, tiles_x, tiles;
    size_t block, n_blocks;        /* tiles at a time */
    size_t u_step, v_step, m_step; /* floats between two of the 36 arrays */
    size_t slot_floats, n_slots;
};

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != KERNEL || w->stride[a] != 1 || w->dilation[a] != 1) return false;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && conv->groups == 1 &&
           conv->in_channels % ENG_CHANNEL_BLOCK == 0 &&
           conv->out_channels % ENG_CHANNEL_BLOCK == 0;
}

static bool make_layout(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    *l = (struct layout){.tiles_y = eng_nhwc_divide_up((size_t)w->out[1], TILE),
                         .tiles_x = eng_nhwc_divide_up((size_t)w->out[2], TILE)};
    l->tiles = l->tiles_y * l->tiles_x;
    l->in.rows = TILE * l->tiles_y + KERNEL - 1;
    l->in.columns = TILE * l->tiles_x + KERNEL - 1;
    l->in.top = (size_t)w->pad_begin[1];
    l->in.left = (size_t)w->pad_begin[2];
    if (!eng_mul_size(l->in.rows * l->in.columns, conv->in_channels, &l->in.floats) ||
        !eng_mul_size(conv->in_channels, conv->out_channels, &l->u_step))
        return false;
    size_t channels = conv->in_channels + conv->out_channels;
    l->block = BLOCK_BYTES / sizeof(float) / N_POINTS / channels;
    if (l->block < 6) l->block = 6;
    if (l->block > MAX_BLOCK) l->block = MAX_BLOCK;
    l->n_blocks = eng_nhwc_divide_up(l->tiles, l->block);
    l->block = eng_nhwc_divide_up(l->tiles, l->n_blocks);
    l->n_slots = l->n_blocks < MAX_SLOTS ? l->n_blocks : MAX_SLOTS;
    l->v_step = l->block * conv->in_channels + GAP;
    l->m_step = l->block * conv->out_channels + GAP;
    l->slot_floats = N_POINTS * (l->v_step + l->m_step) + N_TAPS * TILE * conv->out_channels;
    return l->u_step < SIZE_MAX / 1024 && l->in.floats < SIZE_MAX / 1024;
}

static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) && eng_mul_size(N_POINTS, l.u_step, out);
}

static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) &&
           eng_mul_size(l.in.floats + l.n_slots * l.slot_floats, sizeof(float), out);
}

/* One block of output channels, which lies in one panel, from one input channel. */
static void pack_block(const struct eng_nhwc_conv *conv, const float *w, size_t first, size_t k,
                       size_t u_step, float *packed)
{
    size_t panel = first / ENG_PACKED_COLUMNS * ENG_PACKED_COLUMNS;
    size_t rest = conv->out_channels - panel;
    size_t width = rest < ENG_PACKED_COLUMNS ? rest : ENG_PACKED_COLUMNS;
    float taps[N_TAPS][ENG_CHANNEL_BLOCK];
    for (size_t j = 0; j < ENG_CHANNEL_BLOCK; j++)
        for (size_t tap = 0; tap < N_TAPS; tap++)
            taps[tap][j] = w[((first + j) * conv->in_channels + k) * N_TAPS + tap];
    eng_kernels()->transform[ENG_TRANSFORM_WEIGHTS](&(struct eng_transform){
        .n_channels = ENG_CHANNEL_BLOCK,
        .from = taps[0],
        .from_row = KERNEL * ENG_CHANNEL_BLOCK,
        .from_column = ENG_CHANNEL_BLOCK,
        .to = packed + panel * conv->in_channels + k * width + first - panel,
        .to_row = PATCH * u_step,
        .to_column = u_step});
}

static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    size_t u_step = conv->in_channels * conv->out_channels;
    for (size_t first = 0; first < conv->out_channels; first += ENG_CHANNEL_BLOCK)
        for (size_t k = 0; k < conv->in_channels; k++)
            pack_block(conv, w, first, k, u_step, packed);
}

/* One image. */
struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_kernels *kernels;
    struct layout l;
    struct eng_clamp clamp;
    const float *x, *added;
    float *y;
    float *padded, *slots;
    atomic_uint taken; /* bit k: slot k */
};

static void pad(void *ctx, size_t begin, size_t end)
{
    struct run *r = ctx;
    eng_nhwc_pad_rows(r->conv, &r->l.in, r->x, r->padded, begin, end);
}

/* There are as many slots as pieces at a time, so one is free. */
static unsigned take_slot(struct run *r)
{
    unsigned taken = atomic_load(&r->taken), slot;
    do
        slot = (unsigned)__builtin_ctz(~taken);
    while (!atomic_compare_exchange_weak(&r->taken, &taken, taken | 1u << slot));
    return slot;
}

static void transform_patches(const struct run *r, size_t first, size_t n, float *v)
{
    size_t channels = r->conv->in_channels, row = r->l.in.columns * channels;
    for (size_t i = 0; i < n; i++) {
        size_t ty = (first + i) / r->l.tiles_x, tx = (first + i) % r->l.tiles_x;
        r->kernels->transform[ENG_TRANSFORM_SOURCE](
            &(struct eng_transform){.n_channels = channels,
                                    .from = r->padded + ty * TILE * row + tx * TILE * channels,
                                    .from_row = row,
                                    .from_column = channels,
                                    .to = v + i * channels,
                                    .to_row = PATCH * r->l.v_step,
                                    .to_column = r->l.v_step});
    }
}

static void multiply(const struct run *r, size_t n, const float *v, float *m)
{
    static const size_t no_tap = 0;
    struct eng_packed_product p = {.n_rows = n,
                                   .n_columns = r->conv->out_channels,
                                   .last = r->conv->out_channels,
                                   .n_taps = 1,
                                   .depth = r->conv->in_channels,
                                   .taps = &no_tap,
                                   .a_row = r->conv->in_channels,
                                   .c_row = r->conv->out_channels,
                                   .low = -INFINITY,
                                   .high = INFINITY};
    for (size_t k = 0; k < N_POINTS; k++) {
        p.a = v + k * r->l.v_step;
        p.b = r->call->packed + k * r->l.u_step;
        p.c = m + k * r->l.m_step;
        r->kernels->multiply_packed(&p);
    }
}

/* Bias, what is added and the activation, on a run of pixels. */
static void finish(const struct run *r, size_t at, size_t n_pixels, const float *from)
{
    size_t channels = r->conv->out_channels;
    for (size_t i = 0; i < n_pixels; i++, at += channels, from += channels)
        r->kernels->finish(from, r->call->bias, r->added ? r->added + at : NULL, r->clamp.low,
                           r->clamp.high, r->y + at, channels);
    if (!r->clamp.is_all) {
        float *y = r->y + at - n_pixels * channels;
        eng_activation_forward(r->call->activation, y, y, n_pixels * channels);
    }
}

static void transform_results(const struct run *r, size_t first, size_t n, const float *m,
                              float *tile)
{
    size_t channels = r->conv->out_channels;
    size_t height = (size_t)r->conv->window.out[1], width = (size_t)r->conv->window.out[2];
    for (size_t i = 0; i < n; i++) {
        size_t y = (first + i) / r->l.tiles_x * TILE, x = (first + i) % r->l.tiles_x * TILE;
        r->kernels->transform[ENG_TRANSFORM_RESULT](
            &(struct eng_transform){.n_channels = channels,
                                    .from = m + i * channels,
                                    .from_row = PATCH * r->l.m_step,
                                    .from_column = r->l.m_step,
                                    .to = tile,
                                    .to_row = TILE * channels,
                                    .to_column = channels});
        size_t n_rows = height - y < TILE ? height - y : TILE;
        size_t n_columns = width - x < TILE ? width - x : TILE;
        for (size_t row = 0; row < n_rows; row++)
            finish(r, ((y + row) * width + x) * channels, n_columns, tile + row * TILE * channels);
    }
}

static void run_blocks(void *ctx, size_t begin, size_t end)
{
    struct run *r = ctx;
    for (size_t b = begin; b < end; b++) {
        unsigned slot = take_slot(r);
        float *v = r->slots + slot * r->l.slot_floats, *m = v + N_POINTS * r->l.v_step;
        float *tile = m + N_POINTS * r->l.m_step;
        size_t first = b * r->l.block;
        size_t n = r->l.tiles - first < r->l.block ? r->l.tiles - first : r->l.block;
        transform_patches(r, first, n, v);
        multiply(r, n, v, m);
        transform_results(r, first, n, m, tile);
        atomic_fetch_and(&r->taken, ~(1u << slot));
    }
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    struct run r = {.conv = conv,
                    .call = call,
                    .kernels = eng_kernels(),
                    .clamp = eng_clamp_for(call->activation),
                    .padded = call->scratch};
    if (!make_layout(conv, &r.l)) return; /* cannot be: scratch_bytes said so */
    r.slots = r.padded + r.l.in.floats;
    size_t x_floats = eng_window_volume(conv->window.in) * conv->in_channels;
    size_t y_floats = eng_window_volume(conv->window.out) * conv->out_channels;
    size_t grain = eng_nhwc_divide_up(r.l.n_blocks, MAX_SLOTS);
    for (size_t image = 0; image < conv->n_images; image++) {
        r.x = call->x + image * x_floats;
        r.y = call->y + image * y_floats;
        r.added = call->added ? call->added + image * y_floats : NULL;
        eng_pool_for(call->pool, r.l.in.rows, 1 + (16 << 10) / r.l.in.columns, pad, &r);
        eng_pool_for(call->pool, r.l.n_blocks, grain, run_blocks, &r);
    }
}

const struct eng_nhwc_way eng_nhwc_winograd = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
