/* Convolution with channels last as products with packed weights: no matrix of columns is made. */
#include "kernels/nhwc.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/clamp.h"

#include <string.h>

/*
 * The output is cut into lines of pixels at equal distances in the input: the rows of an image, or,
 * for a 1x1 window that steps by 1, any run of pixels. A piece of work is some lines by one panel
 * of columns: few enough lines that what they read stays in the L2 cache from panel to panel.
 */
enum {
    LINE_PIXELS = 48, /* of a 1x1 window: whole tiles of 6, 8, 12 and 16 rows */
    CHUNK_BYTES = 192 << 10,
    WAVE_BYTES = 1 << 20, /* of padded images at a time */
    MAX_TAPS = 49,        /* more than that many separate runs: the window is not ours */
    MIN_PIECES = 8        /* for threads to share, where they are worth it */
};

struct layout {
    bool is_flat; /* 1x1 by 1, nothing around the image */
    struct eng_nhwc_padded in;
    bool pads;             /* a copy is read, with zeros around it */
    size_t wave;           /* images at a time */
    size_t n_taps, depth;  /* runs of numbers side by side in the input */
    size_t taps[MAX_TAPS]; /* where they start */
    size_t a_row;          /* from one pixel of a line to the next */
    size_t line_pixels;
    size_t panels, panel_floats; /* of a group; the last may be narrower */
    size_t group_floats;
};

static bool is_flat(const struct eng_window *w)
{
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->in[a] != w->out[a]) return false;
    return true;
}

/* Runs of taps: a row of them is one run if all channels are read and none is left out. */
static void set_taps(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t channels = conv->groups * conv->in_channels;
    bool rows = conv->groups == 1 && w->dilation[2] == 1;
    size_t per_row = rows ? 1 : (size_t)w->kernel[2];
    l->depth = rows ? (size_t)w->kernel[2] * conv->in_channels : conv->in_channels;
    l->n_taps = (size_t)w->kernel[1] * per_row;
    for (size_t t = 0; t < l->n_taps; t++)
        l->taps[t] = (t / per_row * (size_t)w->dilation[1] * l->in.columns +
                      t % per_row * (size_t)w->dilation[2]) *
                     channels;
}

static bool can(const struct eng_nhwc_conv *conv)
{
    const struct eng_window *w = &conv->window;
    bool rows = conv->groups == 1 && w->dilation[2] == 1;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 &&
           w->kernel[1] * (rows ? 1 : w->kernel[2]) <= MAX_TAPS;
}

bool eng_nhwc_conv_can_scale(const struct eng_nhwc_conv *conv)
{
    return conv->method == ENG_NHWC_PRODUCT && conv->groups == 1 && !conv->planes &&
           is_flat(&conv->window);
}

static bool make_layout(const struct eng_nhwc_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t channels = conv->groups * conv->in_channels;
    *l = (struct layout){.is_flat = is_flat(w)};
    l->in.rows = (size_t)((w->out[1] - 1) * w->stride[1] + (w->kernel[1] - 1) * w->dilation[1] + 1);
    l->in.columns =
        (size_t)((w->out[2] - 1) * w->stride[2] + (w->kernel[2] - 1) * w->dilation[2] + 1);
    /* Padding may reach beyond all that is read. */
    l->in.top = (size_t)w->pad_begin[1] < l->in.rows ? (size_t)w->pad_begin[1] : l->in.rows;
    l->in.left = (size_t)w->pad_begin[2] < l->in.columns ? (size_t)w->pad_begin[2] : l->in.columns;
    l->pads = l->in.top > 0 || l->in.left > 0 || l->in.rows > (size_t)w->in[1] ||
              l->in.columns > (size_t)w->in[2] || conv->planes;
    if (!l->pads || l->is_flat) {
        l->in.rows = (size_t)w->in[1];
        l->in.columns = (size_t)w->in[2];
    }
    if (!eng_mul_size(l->in.rows * l->in.columns, channels, &l->in.floats)) return false;
    if (l->in.floats > SIZE_MAX / sizeof(float) / 2) return false;
    l->wave = WAVE_BYTES / sizeof(float) / l->in.floats;
    if (l->wave == 0) l->wave = 1;
    if (l->wave > conv->n_images || !l->pads) l->wave = conv->n_images;
    if (conv->scales) l->wave = 1;
    set_taps(conv, l);
    l->a_row = (size_t)w->stride[2] * channels;
    l->line_pixels = l->is_flat ? LINE_PIXELS : (size_t)w->out[2];
    l->panels = eng_nhwc_divide_up(conv->out_channels, ENG_PACKED_COLUMNS);
    l->panel_floats = l->n_taps * l->depth * ENG_PACKED_COLUMNS;
    l->group_floats = l->n_taps * l->depth * eng_nhwc_round_up(conv->out_channels);
    return true;
}

static bool packed_floats(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    return make_layout(conv, &l) && eng_mul_size(conv->groups, l.group_floats, out);
}

/* A block of output channels of a panel `width` wide: rows of w, [input channels, taps], become
 * columns of [taps, input channels]. */
static void pack_block(const struct eng_nhwc_conv *conv, const float *w, int n_rows, size_t width,
                       float *packed)
{
    size_t taps = eng_window_volume(conv->window.kernel), n = conv->in_channels * taps;
    size_t from_at[ENG_CHANNEL_BLOCK] = {0}, to_at[ENG_CHANNEL_BLOCK];
    for (int j = 0; j < n_rows; j++)
        from_at[j] = (size_t)j * n;
    for (size_t at = 0, k = 0, tap = 0; at < n; at += ENG_CHANNEL_BLOCK) {
        int n_columns = n - at < ENG_CHANNEL_BLOCK ? (int)(n - at) : ENG_CHANNEL_BLOCK;
        for (int c = 0; c < n_columns; c++) {
            to_at[c] = (tap * conv->in_channels + k) * width;
            if (++tap < taps) continue;
            tap = 0;
            k++;
        }
        eng_kernels()->transpose(&(struct eng_transpose){.n_rows = n_rows,
                                                         .n_columns = n_columns,
                                                         .from = w + at,
                                                         .from_at = from_at,
                                                         .to = packed,
                                                         .to_at = to_at});
    }
}

static void pack(const struct eng_nhwc_conv *conv, const float *w, float *packed)
{
    size_t n = conv->out_channels, padded = eng_nhwc_round_up(n);
    size_t depth = conv->in_channels * eng_window_volume(conv->window.kernel);
    if (padded > n) memset(packed, 0, conv->groups * padded * depth * sizeof *packed);
    for (size_t g = 0; g < conv->groups; g++, w += n * depth)
        for (size_t first = 0; first < padded; first += ENG_PACKED_COLUMNS) {
            size_t rest = padded - first;
            size_t width = rest < ENG_PACKED_COLUMNS ? rest : ENG_PACKED_COLUMNS;
            for (size_t j = first; j < first + width; j += ENG_CHANNEL_BLOCK)
                pack_block(conv, w + j * depth,
                           n - j < ENG_CHANNEL_BLOCK ? (int)(n - j) : ENG_CHANNEL_BLOCK, width,
                           packed + j - first);
            packed += depth * width;
        }
}

static bool scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out)
{
    struct layout l;
    *out = 0;
    if (!make_layout(conv, &l)) return false;
    if (conv->scales) return eng_mul_size(l.group_floats, sizeof(float), out);
    return !l.pads || eng_mul_size(l.wave * l.in.floats, sizeof(float), out);
}

/* One wave. */
struct run {
    const struct eng_nhwc_conv *conv;
    const struct eng_nhwc_conv_call *call;
    const struct eng_kernels *kernels;
    struct layout l;
    struct eng_clamp clamp;
    const float *x;       /* padded, if it is a copy */
    const float *weights; /* packed; multiplied by an image's factors, if it is a copy */
    const float *added;
    float *y;
    size_t n_pixels;         /* flat: of the whole wave */
    size_t n_lines, n_chunk; /* lines of the wave, and of a piece */
};

static void pad(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct layout *l = &r->l;
    size_t channels = r->conv->groups * r->conv->in_channels;
    size_t image_floats = eng_window_volume(r->conv->window.in) * channels;
    while (begin < end) {
        size_t image = begin / l->in.rows, row = begin % l->in.rows;
        size_t stop = l->in.rows - row < end - begin ? l->in.rows : row + end - begin;
        eng_nhwc_pad_rows(r->conv, &l->in, r->x + image * image_floats,
                          (float *)r->call->scratch + image * l->in.floats, row, stop);
        begin += stop - row;
    }
}

/* Where line i reads and writes, and its pixels. */
static size_t line_at(const struct run *r, size_t i, size_t *x, size_t *y)
{
    const struct layout *l = &r->l;
    const struct eng_window *w = &r->conv->window;
    size_t y_channels = r->conv->groups * r->conv->out_channels;
    *y = i * l->line_pixels * y_channels;
    if (l->is_flat) {
        *x = i * l->line_pixels * l->a_row;
        size_t left = r->n_pixels - i * l->line_pixels;
        return left < l->line_pixels ? left : l->line_pixels;
    }
    size_t image = i / (size_t)w->out[1], row = i % (size_t)w->out[1];
    size_t row_floats = l->in.columns * r->conv->groups * r->conv->in_channels;
    *x = image * l->in.floats + row * (size_t)w->stride[1] * row_floats;
    return l->line_pixels;
}

/* Lines [first, last) by one panel of one group. */
static void run_piece(const struct run *r, size_t first, size_t last, size_t group, size_t panel)
{
    const struct eng_nhwc_conv *conv = r->conv;
    size_t channel = group * conv->out_channels, column = panel * ENG_PACKED_COLUMNS;
    struct eng_packed_product p = {.n_columns = conv->out_channels,
                                   .first = column,
                                   .last = column + 1,
                                   .n_taps = r->l.n_taps,
                                   .depth = r->l.depth,
                                   .taps = r->l.taps,
                                   .a_row = r->l.a_row,
                                   .b = r->weights + group * r->l.group_floats,
                                   .bias = r->call->bias ? r->call->bias + channel : NULL,
                                   .c_row = conv->groups * conv->out_channels,
                                   .low = r->clamp.low,
                                   .high = r->clamp.high,
                                   .activate = r->clamp.is_all ? NULL : eng_activation_forward,
                                   .activation = r->call->activation};
    for (size_t i = first; i < last; i++) {
        size_t x, y;
        p.n_rows = line_at(r, i, &x, &y);
        p.a = r->x + x + group * conv->in_channels;
        p.c = r->y + y + channel;
        p.added = r->added ? r->added + y + channel : NULL;
        r->kernels->multiply_packed(&p);
    }
}

static void run_pieces(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t panel = i % r->l.panels, group = i / r->l.panels % r->conv->groups;
        size_t first = i / r->l.panels / r->conv->groups * r->n_chunk;
        size_t last = r->n_lines - first < r->n_chunk ? r->n_lines : first + r->n_chunk;
        run_piece(r, first, last, group, panel);
    }
}

static double line_flops(const struct run *r)
{
    size_t n =
        r->conv->out_channels < ENG_PACKED_COLUMNS ? r->conv->out_channels : ENG_PACKED_COLUMNS;
    return 2 * (double)(r->l.line_pixels * r->l.n_taps * r->l.depth * n);
}

/* Few panels: pieces of fewer lines. */
static void limit_chunk(struct run *r)
{
    size_t per_line = r->conv->groups * r->l.panels;
    size_t grain = eng_share_grain(r->n_lines, line_flops(r) * (double)per_line, 0);
    size_t least = eng_nhwc_divide_up(r->n_lines, eng_nhwc_divide_up(MIN_PIECES, per_line));
    if (grain < least) grain = least;
    if (r->n_chunk > grain) r->n_chunk = grain;
}

static void start_wave(struct run *r, size_t first, size_t n)
{
    const struct eng_nhwc_conv *conv = r->conv;
    size_t channels = conv->groups * conv->in_channels;
    size_t image_floats = eng_window_volume(conv->window.in) * channels;
    size_t out_pixels = eng_window_volume(conv->window.out);
    size_t y_at = first * out_pixels * conv->groups * conv->out_channels;
    r->x = r->call->x + first * image_floats;
    r->y = r->call->y + y_at;
    r->added = r->call->added ? r->call->added + y_at : NULL;
    r->n_pixels = n * out_pixels;
    r->n_lines = r->l.is_flat ? eng_nhwc_divide_up(r->n_pixels, LINE_PIXELS)
                              : n * (size_t)conv->window.out[1];
    size_t line_floats = r->l.is_flat ? LINE_PIXELS * channels
                                      : (size_t)conv->window.stride[1] * r->l.in.columns * channels;
    r->n_chunk = CHUNK_BYTES / sizeof(float) / line_floats;
    if (r->n_chunk == 0) r->n_chunk = 1;
    if (r->n_chunk > r->n_lines) r->n_chunk = r->n_lines;
    limit_chunk(r);
}

/* Factors of x's channels are as good as factors of the weights' rows, which are fewer numbers. */
static void scale_weights(struct run *r, size_t image)
{
    size_t depth = r->conv->in_channels, padded = eng_nhwc_round_up(r->conv->out_channels);
    const float *factors = r->call->factors + image * depth, *from = r->call->packed;
    float *to = r->call->scratch;
    r->weights = to;
    for (size_t first = 0; first < padded; first += ENG_PACKED_COLUMNS) {
        size_t n = padded - first < ENG_PACKED_COLUMNS ? padded - first : ENG_PACKED_COLUMNS;
        for (size_t k = 0; k < depth; k++, from += n, to += n)
            for (size_t j = 0; j < n; j++)
                to[j] = factors[k] * from[j];
    }
}

static void forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call)
{
    struct run r = {.conv = conv,
                    .call = call,
                    .weights = call->packed,
                    .kernels = eng_kernels(),
                    .clamp = eng_clamp_for(call->activation)};
    if (conv->n_images == 0 || !make_layout(conv, &r.l)) return;
    for (size_t image = 0; image < conv->n_images; image += r.l.wave) {
        size_t n = conv->n_images - image < r.l.wave ? conv->n_images - image : r.l.wave;
        start_wave(&r, image, n);
        if (conv->scales) scale_weights(&r, image);
        if (r.l.pads) {
            size_t row_bytes = r.l.in.floats / r.l.in.rows * sizeof(float);
            eng_share(call->pool, n * r.l.in.rows, 0, 2 * (double)row_bytes, pad, &r);
            r.x = call->scratch;
        }
        size_t n_pieces = eng_nhwc_divide_up(r.n_lines, r.n_chunk) * conv->groups * r.l.panels;
        eng_share(call->pool, n_pieces, line_flops(&r) * (double)r.n_chunk,
                  (double)(r.l.panel_floats * sizeof(float)), run_pieces, &r);
    }
}

const struct eng_nhwc_way eng_nhwc_product = {
    .can = can,
    .packed_floats = packed_floats,
    .pack = pack,
    .scratch_bytes = scratch_bytes,
    .forward = forward,
};
