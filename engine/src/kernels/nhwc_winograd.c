/*
 * Winograd's F(4x4, 3x3) and F(2x2, 3x3) with channels last and weights that were transformed when
 * they were packed. With 36 or 16 points:
 *
 *     weights  u [points, panels, in, columns]
 *     patches  v [points, tiles, in]
 *     results  m [points, tiles, out]            m = v u
 *
 * The tiles of all images stand in one row. They go in blocks through transform, products and
 * transform back: several blocks are one piece of work with a v and m of its own. Where there are
 * but few blocks the threads share each step of one instead.
 */
#include "kernels/nhwc.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/clamp.h"

#include <stdatomic.h>

enum {
    KERNEL = 3,
    N_TAPS = KERNEL * KERNEL,
    MIN_BLOCK = 24, /* tiles: weights are read once for all of them */
    MAX_BLOCK = 96,
    BLOCK_BYTES = 640 << 10, /* of v and m, to stay in the L2 cache beside the weights */
    MAX_SLOTS = 8,           /* pieces at a time */
    GAP = 16,                /* between the arrays, lest they fight for one cache set */
};

struct layout {
    enum eng_winograd kind;
    size_t tile, patch, n_points;
    size_t tiles_y, tiles_x, tiles; /* tiles: of all images */
    size_t block, n_blocks;         /* tiles at a time */
    size_t out_step;                /* out_channels, filled up */
    size_t u_step, v_step, m_step;  /* floats between two points */
    size_t slot_floats, n_slots;
};

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != KERNEL || w->stride[a] != 1 || w->dilation[a] != 1) return false;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && conv->groups == 1;
}

static bool make_layout(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    bool small = conv->method == ENG_NHWC_WINOGRAD_2X2;
    *l = (struct layout){.kind = small ? ENG_WINOGRAD_2X2 : ENG_WINOGRAD_4X4,
                         .tile = small ? 2 : 4,
                         .patch = small ? 4 : 6,
                         .out_step = eng_nhwc_round_up(conv->out_channels)};
    l->n_points = l->patch * l->patch;
    l->tiles_y = eng_nhwc_divide_up((size_t)w->out[1], l->tile);
    l->tiles_x = eng_nhwc_divide_up((size_t)w->out[2], l->tile);
    if (!eng_mul_size(l->tiles_y * l->tiles_x, conv->n_images, &l->tiles) ||
        !eng_mul_size(conv->in_channels, l->out_step, &l->u_step))
        return false;
    l->block = BLOCK_BYTES / sizeof(float) / l->n_points / (conv->in_channels + l->out_step);
    if (l->block < MIN_BLOCK) l->block = MIN_BLOCK;
    if (l->block > MAX_BLOCK) l->block = MAX_BLOCK;
    l->n_blocks = eng_nhwc_divide_up(l->tiles, l->block);
    if (l->n_blocks > 0) l->block = eng_nhwc_divide_up(l->tiles, l->n_blocks);
    l->n_slots = l->n_blocks < MAX_SLOTS ? l->n_blocks : MAX_SLOTS;
    l->v_step = l->block * conv->in_channels + GAP;
    l->m_step = l->block * l->out_step + GAP;
    l->slot_floats = l->n_points * (l->v_step + l->m_step);
    return l->u_step < SIZE_MAX / 1024;
}

static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) && eng_mul_size(l.n_points, l.u_step, out);
}

static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) && eng_mul_size(l.n_slots * l.slot_floats, sizeof(float), out);
}

enum { PACKED_AT_ONCE = 16 }; /* input channels */

/* Weights of one block of output channels, [input channels, taps, ENG_CHANNEL_BLOCK]. */
struct block_weights {
    float taps[PACKED_AT_ONCE * N_TAPS][ENG_CHANNEL_BLOCK];
};

/* Lays the weights of n input channels from k on side by side; what is not there stays 0. */
static void gather_weights(const struct eng_nhwc_conv *conv, const float *w, size_t first, size_t k,
                           size_t n, struct block_weights *out)
{
    size_t rest = conv->out_channels - first, row = conv->in_channels * N_TAPS;
    size_t from_at[ENG_CHANNEL_BLOCK] = {0}, to_at[ENG_CHANNEL_BLOCK];
    int n_rows = rest < ENG_CHANNEL_BLOCK ? (int)rest : ENG_CHANNEL_BLOCK;
    for (int j = 0; j < ENG_CHANNEL_BLOCK; j++) {
        if (j < n_rows) from_at[j] = (first + (size_t)j) * row;
        to_at[j] = (size_t)j * ENG_CHANNEL_BLOCK;
    }
    for (size_t at = 0; at < n * N_TAPS; at += ENG_CHANNEL_BLOCK) {
        size_t left = n * N_TAPS - at;
        eng_kernels()->transpose(&(struct eng_transpose){
            .n_rows = n_rows,
            .n_columns = left < ENG_CHANNEL_BLOCK ? (int)left : ENG_CHANNEL_BLOCK,
            .from = w + k * N_TAPS + at,
            .from_at = from_at,
            .to = out->taps[at],
            .to_at = to_at});
    }
}

/* One block of output channels, which lies in one panel, from one input channel. */
static void pack_block(const struct eng_nhwc_conv *conv, const struct layout *l, const float *taps,
                       size_t first, size_t k, float *packed)
{
    size_t panel = first / ENG_PACKED_COLUMNS * ENG_PACKED_COLUMNS;
    size_t rest = l->out_step - panel;
    size_t width = rest < ENG_PACKED_COLUMNS ? rest : ENG_PACKED_COLUMNS;
    enum eng_transform_kind kind =
        l->kind == ENG_WINOGRAD_2X2 ? ENG_TRANSFORM_WEIGHTS_2X2 : ENG_TRANSFORM_WEIGHTS;
    eng_kernels()->transform[kind](&(struct eng_transform){
        .n_channels = ENG_CHANNEL_BLOCK,
        .from = taps,
        .from_row = KERNEL * ENG_CHANNEL_BLOCK,
        .from_column = ENG_CHANNEL_BLOCK,
        .to = packed + panel * conv->in_channels + k * width + first - panel,
        .to_row = l->patch * l->u_step,
        .to_column = l->u_step});
}

static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    struct layout l;
    if (!make_layout(conv, &l)) return; /* cannot be: packed_floats said so */
    struct block_weights weights = {{{0}}};
    for (size_t first = 0; first < l.out_step; first += ENG_CHANNEL_BLOCK)
        for (size_t k = 0; k < conv->in_channels; k += PACKED_AT_ONCE) {
            size_t left = conv->in_channels - k, n = left < PACKED_AT_ONCE ? left : PACKED_AT_ONCE;
            gather_weights(conv, w, first, k, n, &weights);
            for (size_t i = 0; i < n; i++)
                pack_block(conv, &l, weights.taps[i * N_TAPS], first, k + i, packed);
        }
}

struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_kernels *kernels;
    struct layout l;
    struct eng_clamp clamp;
    size_t first, n;   /* the tiles of the block whose steps are shared */
    atomic_uint taken; /* bit k: slot k */
};

/* What a thread works on: tile `first` and those behind it. */
struct slot {
    size_t first;
    float *v, *m;
};

static struct slot slot_at(const struct run *r, size_t k, size_t first)
{
    float *v = (float *)r->call->scratch + k * r->l.slot_floats;
    return (struct slot){.first = first, .v = v, .m = v + r->l.n_points * r->l.v_step};
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

/* The first pixel of a tile, in y; returns the image. */
static size_t tile_at(const struct run *r, size_t tile, size_t *y, size_t *x)
{
    size_t within = tile % (r->l.tiles_y * r->l.tiles_x);
    *y = within / r->l.tiles_x * r->l.tile;
    *x = within % r->l.tiles_x * r->l.tile;
    return tile / (r->l.tiles_y * r->l.tiles_x);
}

static void transform_patches(const struct run *r, const struct slot *s, size_t begin, size_t end)
{
    const struct eng_window *w = &r->conv->window;
    size_t channels = r->conv->in_channels, y, x;
    struct eng_patch p = {.n_channels = channels,
                          .row = (size_t)w->in[2] * channels,
                          .column = channels,
                          .point = r->l.v_step};
    for (size_t i = begin; i < end; i++) {
        size_t image = tile_at(r, s->first + i, &y, &x);
        int64_t top = (int64_t)y - w->pad_begin[1], left = (int64_t)x - w->pad_begin[2];
        int64_t patch = (int64_t)r->l.patch, rows = w->in[1] - top, columns = w->in[2] - left;
        p.x = r->call->x + image * eng_window_volume(w->in) * channels;
        p.at = (ptrdiff_t)((top * w->in[2] + left) * (int64_t)channels);
        p.first_row = top < 0 ? (int)(top < -patch ? patch : -top) : 0;
        p.first_column = left < 0 ? (int)(left < -patch ? patch : -left) : 0;
        p.last_row = (int)(rows < 0 ? 0 : rows < patch ? rows : patch);
        p.last_column = (int)(columns < 0 ? 0 : columns < patch ? columns : patch);
        p.to = s->v + i * channels;
        r->kernels->patch[r->l.kind](&p);
    }
}

static void multiply(const struct run *r, const struct slot *s, size_t n, size_t begin, size_t end)
{
    static const size_t no_tap = 0;
    struct eng_packed_product p = {.n_rows = n,
                                   .n_columns = r->l.out_step,
                                   .last = r->l.out_step,
                                   .n_taps = 1,
                                   .depth = r->conv->in_channels,
                                   .taps = &no_tap,
                                   .a_row = r->conv->in_channels,
                                   .c_row = r->l.out_step,
                                   .low = -INFINITY,
                                   .high = INFINITY};
    for (size_t k = begin; k < end; k++) {
        p.a = s->v + k * r->l.v_step;
        p.b = r->call->packed + k * r->l.u_step;
        p.c = s->m + k * r->l.m_step;
        r->kernels->multiply_packed(&p);
    }
}

static void transform_results(const struct run *r, const struct slot *s, size_t begin, size_t end)
{
    const struct eng_window *w = &r->conv->window;
    size_t channels = r->conv->out_channels, y, x;
    size_t height = (size_t)w->out[1], width = (size_t)w->out[2];
    struct eng_tile t = {.n_channels = channels,
                         .point = r->l.m_step,
                         .bias = r->call->bias,
                         .row = width * channels,
                         .column = channels,
                         .low = r->clamp.low,
                         .high = r->clamp.high};
    for (size_t i = begin; i < end; i++) {
        size_t image = tile_at(r, s->first + i, &y, &x);
        size_t at = ((image * height + y) * width + x) * channels;
        t.from = s->m + i * r->l.out_step;
        t.added = r->call->added ? r->call->added + at : NULL;
        t.y = r->call->y + at;
        t.n_rows = (int)(height - y < r->l.tile ? height - y : r->l.tile);
        t.n_columns = (int)(width - x < r->l.tile ? width - x : r->l.tile);
        r->kernels->tile[r->l.kind](&t);
        for (int row = 0; row < t.n_rows && !r->clamp.is_all; row++)
            eng_activation_forward(r->call->activation, t.y + (size_t)row * t.row,
                                   t.y + (size_t)row * t.row, (size_t)t.n_columns * channels);
    }
}

static size_t block_tiles(const struct run *r, size_t first)
{
    return r->l.tiles - first < r->l.block ? r->l.tiles - first : r->l.block;
}

static void run_blocks(void *ctx, size_t begin, size_t end)
{
    struct run *r = ctx;
    for (size_t b = begin; b < end; b++) {
        unsigned k = take_slot(r);
        struct slot s = slot_at(r, k, b * r->l.block);
        size_t n = block_tiles(r, s.first);
        transform_patches(r, &s, 0, n);
        multiply(r, &s, n, 0, r->l.n_points);
        transform_results(r, &s, 0, n);
        atomic_fetch_and(&r->taken, ~(1u << k));
    }
}

static void share_patches(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    struct slot s = slot_at(r, 0, r->first);
    transform_patches(r, &s, begin, end);
}

static void share_points(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    struct slot s = slot_at(r, 0, r->first);
    multiply(r, &s, r->n, begin, end);
}

static void share_results(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    struct slot s = slot_at(r, 0, r->first);
    transform_results(r, &s, begin, end);
}

static void share_block(struct run *r)
{
    /* Transforming a channel of a tile costs some 16 operations for each point. */
    double points = (double)r->l.n_points, in = (double)r->conv->in_channels;
    double out = (double)r->l.out_step;
    eng_share(r->call->pool, r->n, 16 * points * in, 0, share_patches, r);
    eng_share(r->call->pool, r->l.n_points, 2 * (double)r->n * in * out, in * out * sizeof(float),
              share_points, r);
    eng_share(r->call->pool, r->n, 16 * points * out, 0, share_results, r);
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    struct run r = {.conv = conv,
                    .call = call,
                    .kernels = eng_kernels(),
                    .clamp = eng_clamp_for(call->activation)};
    if (!make_layout(conv, &r.l)) return; /* cannot be: scratch_bytes said so */
    if (r.l.n_blocks >= MAX_SLOTS / 2) {
        eng_pool_for(call->pool, r.l.n_blocks, eng_nhwc_divide_up(r.l.n_blocks, MAX_SLOTS),
                     run_blocks, &r);
        return;
    }
    for (; r.first < r.l.tiles; r.first += r.n) {
        r.n = block_tiles(&r, r.first);
        share_block(&r);
    }
}

const struct eng_nhwc_way eng_nhwc_winograd = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
