/*
 * Convolution with channels last as products of bfloat16 (kernels/bf16.h). Pictures go one by one:
 * a picture is rounded, with zeros around it, then lines of its pixels meet panels of columns.
 */
#include "base/mem.h"
#include "base/share.h"
#include "kernels/bf16.h"
#include "kernels/clamp.h"
#include "kernels/nhwc.h"

#include <string.h>

enum {
    LINE_PIXELS = 48, /* of a 1x1 window: whole tiles of 6, 8, 12 and 16 rows */
    CHUNK_BYTES = 192 << 10,
    MAX_TAPS = 49,
};

struct layout {
    bool is_flat; /* 1x1 by 1, nothing around the picture: any run of pixels is a line */
    struct eng_nhwc_padded in; /* floats: numbers of the rounded picture */
    size_t n_taps, depth;      /* rows of the window, and numbers of one */
    size_t taps[MAX_TAPS];
    size_t n_lines, line_pixels, n_chunk; /* lines of a piece */
    size_t panels;
};

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    return eng_bf16_kernels() && conv->groups == 1 && conv->in_channels % 2 == 0 &&
           w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 && w->dilation[2] == 1 &&
           w->kernel[1] <= MAX_TAPS;
}

static size_t span(const struct eng_window *w, int axis)
{
    return (size_t)((w->out[axis] - 1) * w->stride[axis] +
                    (w->kernel[axis] - 1) * w->dilation[axis] + 1);
}

static bool is_flat(const struct eng_window *w)
{
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->in[a] != w->out[a]) return false;
    return true;
}

static void cut_lines(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t pixels = eng_window_volume(w->out);
    l->line_pixels = l->is_flat ? LINE_PIXELS : (size_t)w->out[2];
    l->n_lines = l->is_flat ? eng_nhwc_divide_up(pixels, LINE_PIXELS) : (size_t)w->out[1];
    size_t line_numbers = l->is_flat ? LINE_PIXELS * conv->in_channels
                                     : (size_t)w->stride[1] * l->in.columns * conv->in_channels;
    l->n_chunk = CHUNK_BYTES / sizeof(uint16_t) / line_numbers;
    if (l->n_chunk == 0) l->n_chunk = 1;
    if (l->n_chunk > l->n_lines) l->n_chunk = l->n_lines;
}

static bool make_layout(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    *l = (struct layout){.is_flat = is_flat(w)};
    l->in.rows = span(w, 1);
    l->in.columns = span(w, 2);
    /* Padding may reach beyond all that is read. */
    l->in.top = (size_t)w->pad_begin[1] < l->in.rows ? (size_t)w->pad_begin[1] : l->in.rows;
    l->in.left = (size_t)w->pad_begin[2] < l->in.columns ? (size_t)w->pad_begin[2] : l->in.columns;
    if (!eng_mul_size(l->in.rows * l->in.columns, conv->in_channels, &l->in.floats)) return false;
    l->depth = (size_t)w->kernel[2] * conv->in_channels;
    l->n_taps = (size_t)w->kernel[1];
    for (size_t t = 0; t < l->n_taps; t++)
        l->taps[t] = t * (size_t)w->dilation[1] * l->in.columns * conv->in_channels;
    l->panels = eng_nhwc_divide_up(conv->out_channels, ENG_PACKED_COLUMNS);
    cut_lines(conv, l);
    return l->in.floats < SIZE_MAX / 4 && l->depth < SIZE_MAX / MAX_TAPS / 4;
}

static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    if (!make_layout(conv, &l) || conv->out_channels > SIZE_MAX / 64 / l.n_taps / l.depth)
        return false;
    *out = eng_bf16_packed_count(l.n_taps, l.depth, conv->out_channels) / 2;
    return true;
}

/* w [out, in, height, width]: a column of the window after the other is one run of the depth. */
static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    size_t taps = eng_window_volume(conv->window.kernel);
    /* Runs of channels are taps of a product of their own, in the same order. */
    struct eng_bf16_weights weights = {
        .data = w, .column_step = conv->in_channels * taps, .tap_step = 1, .depth_step = taps};
    eng_bf16_pack(taps, conv->in_channels, conv->out_channels, &weights, (uint16_t *)packed);
}

static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) && eng_mul_size(l.in.floats, sizeof(uint16_t), out);
}

/* One picture. */
struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_bf16_kernels *kernels;
    struct layout l;
    struct eng_clamp clamp;
    const float *x, *added;
    float *y;
    uint16_t *rounded;
};

static void round_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_nhwc_padded *in = &r->l.in;
    size_t channels = r->conv->in_channels, width = (size_t)r->conv->window.in[2];
    size_t shown = in->columns - in->left < width ? in->columns - in->left : width;
    for (size_t i = begin; i < end; i++) {
        uint16_t *row = r->rounded + i * in->columns * channels;
        uint16_t *after = row + (in->left + shown) * channels;
        if (i < in->top || i - in->top >= (size_t)r->conv->window.in[1]) {
            memset(row, 0, in->columns * channels * sizeof *row);
            continue;
        }
        memset(row, 0, in->left * channels * sizeof *row);
        r->kernels->round(r->x + (i - in->top) * width * channels, row + in->left * channels,
                          shown * channels);
        memset(after, 0, (in->columns - in->left - shown) * channels * sizeof *row);
    }
}

/* Activations that the kernel's clamp does not do. */
static void activate(const struct run *r, float *y, size_t n_rows, size_t n_columns)
{
    if (r->clamp.is_all) return;
    for (size_t i = 0; i < n_rows; i++, y += r->conv->out_channels)
        eng_activation_forward(r->call->activation, y, y, n_columns);
}

/* Lines [first, last) by one panel. */
static void run_piece(const struct run *r, size_t first, size_t last, size_t panel)
{
    const struct eng_nhwc_conv *conv = r->conv;
    const struct eng_window *w = &conv->window;
    size_t pixels = eng_window_volume(w->out), column = panel * ENG_PACKED_COLUMNS;
    size_t left = conv->out_channels - column;
    struct eng_bf16_product p = {.n_columns = conv->out_channels,
                                 .first = column,
                                 .n_taps = r->l.n_taps,
                                 .depth = r->l.depth,
                                 .taps = r->l.taps,
                                 .a_row = (size_t)w->stride[2] * conv->in_channels,
                                 .b = (const uint16_t *)r->call->packed,
                                 .bias = r->call->bias,
                                 .c_row = conv->out_channels,
                                 .low = r->clamp.low,
                                 .high = r->clamp.high};
    for (size_t i = first; i < last; i++) {
        size_t pixel = i * r->l.line_pixels;
        size_t row_numbers = r->l.in.columns * conv->in_channels;
        p.n_rows = pixels - pixel < r->l.line_pixels ? pixels - pixel : r->l.line_pixels;
        p.a = r->rounded +
              (r->l.is_flat ? pixel * conv->in_channels : i * (size_t)w->stride[1] * row_numbers);
        p.c = r->y + pixel * conv->out_channels;
        p.added = r->added ? r->added + pixel * conv->out_channels : NULL;
        r->kernels->multiply(&p);
        activate(r, p.c + column, p.n_rows, left < ENG_PACKED_COLUMNS ? left : ENG_PACKED_COLUMNS);
    }
}

static void run_pieces(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t first = i / r->l.panels * r->l.n_chunk, left = r->l.n_lines - first;
        run_piece(r, first, first + (left < r->l.n_chunk ? left : r->l.n_chunk), i % r->l.panels);
    }
}

static void run_picture(struct run *r)
{
    const struct layout *l = &r->l;
    struct eng_pool *pool = r->call->pool;
    size_t row_numbers = l->in.columns * r->conv->in_channels;
    size_t panel_numbers = l->n_taps * l->depth * ENG_PACKED_COLUMNS;
    eng_share(pool, l->in.rows, 0, (double)row_numbers * 6, round_rows, r);
    eng_share(pool, eng_nhwc_divide_up(l->n_lines, l->n_chunk) * l->panels,
              (double)(l->n_chunk * l->line_pixels) * (double)panel_numbers,
              (double)panel_numbers * sizeof(uint16_t), run_pieces, r);
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    struct run r = {.conv = conv,
                    .call = call,
                    .kernels = eng_bf16_kernels(),
                    .clamp = eng_clamp_for(call->activation),
                    .rounded = call->scratch};
    if (!make_layout(conv, &r.l)) return; /* cannot be: scratch_bytes said so */
    size_t x_floats = eng_window_volume(conv->window.in) * conv->in_channels;
    size_t y_floats = eng_window_volume(conv->window.out) * conv->out_channels;
    for (size_t image = 0; image < conv->n_images; image++) {
        r.x = call->x + image * x_floats;
        r.y = call->y + image * y_floats;
        r.added = call->added ? call->added + image * y_floats : NULL;
        run_picture(&r);
    }
}

const struct eng_nhwc_way eng_nhwc_bf16 = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
