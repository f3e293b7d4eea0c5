#include "kernels/int8_conv.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/int8_packing.h"

#include <string.h>

/*
 * The output is cut into lines of pixels at equal distances in the input: the rows of an image, or,
 * for a 1x1 window that steps by 1, any run of pixels. A piece of work is some lines by one panel
 * of columns: few enough lines that what they read stays in the L2 cache from panel to panel.
 */
enum {
    LINE_PIXELS = 48, /* of a 1x1 window: whole tiles of 6, 8, 12 rows */
    CHUNK_BYTES = 128 << 10,
    WAVE_BYTES = 1 << 20, /* of padded images at a time */
    MAX_TAPS = 49,        /* more than that many separate runs: the window is not ours */
    MIN_PIECES = 8        /* for threads to share, where they are worth it */
};

struct layout {
    bool is_flat, copies;
    size_t rows, columns, top, left; /* of the input with its padding; where pixel (0, 0) lies */
    size_t image_bytes, wave;        /* of one such image; images at a time */
    size_t n_taps, depth;            /* runs of bytes side by side in the input */
    size_t taps[MAX_TAPS];           /* where they start */
    size_t channels, y_channels;
    size_t line_pixels;
};

/* --- layout --- */

static bool is_flat(const struct eng_window *w)
{
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->in[a] != w->out[a]) return false;
    return true;
}

static void set_taps(const struct eng_int8_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t per_row = eng_int8_has_whole_rows(conv) ? 1 : (size_t)w->kernel[2];
    for (size_t t = 0; t < l->n_taps && t < MAX_TAPS; t++)
        l->taps[t] = (t / per_row * (size_t)w->dilation[1] * l->columns +
                      t % per_row * (size_t)w->dilation[2]) *
                     l->channels;
}

static size_t reach(const struct eng_window *w, int axis)
{
    return (size_t)((w->out[axis] - 1) * w->stride[axis] +
                    (w->kernel[axis] - 1) * w->dilation[axis] + 1);
}

/* The input as it is read: with its padding, if it has to be copied. */
static bool set_input(const struct eng_int8_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t rows = reach(w, 1), columns = reach(w, 2), pixels;
    size_t height = (size_t)w->in[1], width = (size_t)w->in[2];
    /* Padding may reach beyond all that is read. */
    l->top = (size_t)w->pad_begin[1] < rows ? (size_t)w->pad_begin[1] : rows;
    l->left = (size_t)w->pad_begin[2] < columns ? (size_t)w->pad_begin[2] : columns;
    bool pads = l->top > 0 || l->left > 0 || rows > height || columns > width;
    bool is_odd = !conv->is_depthwise && !l->is_flat && l->depth % ENG_INT8_STEP != 0;
    l->copies = pads || is_odd;
    l->rows = pads ? rows : height;
    l->columns = pads ? columns : width;
    return eng_mul_size(l->rows, l->columns, &pixels) &&
           eng_mul_size(pixels, l->channels, &l->image_bytes) && l->image_bytes <= SIZE_MAX / 4;
}

static bool make_layout(const struct eng_int8_conv *conv, struct layout *l)
{
    const struct eng_window *w = &conv->window;
    size_t per_run = eng_int8_has_whole_rows(conv) ? (size_t)w->kernel[2] : 1;
    *l = (struct layout){.is_flat = is_flat(w),
                         .depth = conv->in_channels * per_run,
                         .n_taps = eng_window_volume(w->kernel) / per_run,
                         .channels = conv->groups * conv->in_channels,
                         .y_channels = conv->groups * conv->out_channels};
    if (!set_input(conv, l)) return false;
    set_taps(conv, l);
    /* Weights are filled up with zeros: in a copy, more may be read than counts. */
    if (l->copies) l->depth = eng_int8_round_up(l->depth, ENG_INT8_STEP);
    l->wave = l->image_bytes > 0 ? WAVE_BYTES / l->image_bytes + 1 : 1;
    if (l->wave > conv->n_images || !l->copies) l->wave = conv->n_images;
    l->line_pixels = l->is_flat ? LINE_PIXELS : (size_t)w->out[2];
    return true;
}

bool eng_int8_conv_choose(struct eng_int8_conv *conv)
{
    const struct eng_window *w = &conv->window;
    bool rows = eng_int8_has_whole_rows(conv);
    conv->is_depthwise = conv->groups > 1 && conv->in_channels == 1 && conv->out_channels == 1;
    return w->kernel[0] == 1 && w->in[0] == 1 && w->out[0] == 1 &&
           (conv->is_depthwise || w->kernel[1] * (rows ? 1 : w->kernel[2]) <= MAX_TAPS);
}

bool eng_int8_conv_scratch_bytes(const struct eng_int8_conv *conv, size_t *out)
{
    struct layout l;
    *out = 0;
    if (!make_layout(conv, &l)) return false;
    return !l.copies ||
           (eng_mul_size(l.wave, l.image_bytes, out) && eng_add_size(*out, ENG_INT8_STEP, out));
}

/* --- forward --- */

/* One wave. */
struct run {
    const struct eng_int8_conv *conv;
    const struct eng_int8_conv_call *call;
    const struct eng_int8_kernels *kernels;
    struct layout l;
    const uint8_t *x; /* padded, if it is a copy */
    uint8_t *y;
    size_t n_pixels;         /* flat: of the whole wave */
    size_t n_lines, n_chunk; /* lines of the wave, and of a piece */
    size_t panels, each;     /* of a group; bytes of a column, or of a block */
};

static void pad_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct layout *l = &r->l;
    size_t height = (size_t)r->conv->window.in[1], width = (size_t)r->conv->window.in[2];
    size_t shown = l->columns - l->left < width ? l->columns - l->left : width;
    size_t row_bytes = l->columns * l->channels, left = l->left * l->channels;
    size_t n = shown * l->channels;
    for (size_t i = begin; i < end; i++) {
        size_t image = i / l->rows, row = i % l->rows;
        uint8_t *to = (uint8_t *)r->call->scratch + i * row_bytes;
        if (row < l->top || row - l->top >= height) {
            memset(to, r->call->blank, row_bytes);
            continue;
        }
        memset(to, r->call->blank, left);
        memcpy(to + left, r->x + (image * height + row - l->top) * width * l->channels, n);
        memset(to + left + n, r->call->blank, row_bytes - left - n);
    }
}

/* Where line i reads and writes, and its pixels. */
static size_t line_at(const struct run *r, size_t i, size_t *x, size_t *y)
{
    const struct layout *l = &r->l;
    size_t height = (size_t)r->conv->window.out[1];
    *y = i * l->line_pixels * l->y_channels;
    if (l->is_flat) {
        *x = i * l->line_pixels * l->channels;
        size_t left = r->n_pixels - i * l->line_pixels;
        return left < l->line_pixels ? left : l->line_pixels;
    }
    *x = i / height * l->image_bytes +
         i % height * (size_t)r->conv->window.stride[1] * l->columns * l->channels;
    return l->line_pixels;
}

/* The same from a later column on. */
static struct eng_int8_finish finish_from(const struct eng_int8_finish *finish, size_t column)
{
    struct eng_int8_finish f = *finish;
    f.factor += column;
    f.rest += column;
    f.offset += column;
    return f;
}

/* Lines [first, last) by one panel of one group. */
static void run_piece(const struct run *r, size_t first, size_t last, size_t group, size_t panel)
{
    const struct eng_int8_conv *conv = r->conv;
    size_t n = conv->out_channels, column = panel * ENG_INT8_COLUMNS;
    size_t at = group * eng_int8_round_up(n, ENG_INT8_COLUMN_STEP) + column;
    size_t rest = n - column < ENG_INT8_COLUMNS ? n - column : ENG_INT8_COLUMNS;
    struct eng_int8_product p = {.width = eng_int8_round_up(rest, ENG_INT8_COLUMN_STEP),
                                 .n_columns = rest,
                                 .n_taps = r->l.n_taps,
                                 .depth = r->l.depth,
                                 .taps = r->l.taps,
                                 .a_row = (size_t)conv->window.stride[2] * r->l.channels,
                                 .flip = r->call->flip,
                                 .b = r->call->packed + at * r->each,
                                 .start = r->call->start + at,
                                 .finish = finish_from(&r->call->finish, at),
                                 .c_row = r->l.y_channels};
    for (size_t i = first; i < last; i++) {
        size_t x, y;
        p.n_rows = line_at(r, i, &x, &y);
        p.a = r->x + x + group * conv->in_channels;
        p.c = r->y + y + group * n + column;
        r->kernels->product(&p);
    }
}

static void run_pieces(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    for (size_t i = begin; i < end; i++) {
        size_t panel = i % r->panels, group = i / r->panels % r->conv->groups;
        size_t first = i / r->panels / r->conv->groups * r->n_chunk;
        size_t last = r->n_lines - first < r->n_chunk ? r->n_lines : first + r->n_chunk;
        run_piece(r, first, last, group, panel);
    }
}

/* In operations on floats that take as long: a quarter of the products and sums. */
static double line_flops(const struct run *r)
{
    size_t n = r->conv->out_channels < ENG_INT8_COLUMNS ? r->conv->out_channels : ENG_INT8_COLUMNS;
    return (double)(r->l.line_pixels * r->l.n_taps * r->l.depth * n) / 2;
}

/* Lines of a piece: what stays in the cache, and with few panels fewer. */
static size_t chunk_lines(const struct run *r)
{
    size_t row_bytes = (size_t)r->conv->window.stride[1] * r->l.columns * r->l.channels;
    size_t line_bytes = r->l.is_flat ? LINE_PIXELS * r->l.channels : row_bytes;
    size_t n = CHUNK_BYTES / (line_bytes + 1) + 1, per_line = r->conv->groups * r->panels;
    size_t grain = eng_share_grain(r->n_lines, line_flops(r) * (double)per_line, 0);
    size_t least = eng_int8_divide_up(r->n_lines, eng_int8_divide_up(MIN_PIECES, per_line));
    grain = grain < least ? least : grain;
    n = n < grain ? n : grain;
    return n < r->n_lines ? n : r->n_lines;
}

static void run_product(struct run *r)
{
    r->panels = eng_int8_divide_up(r->conv->out_channels, ENG_INT8_COLUMNS);
    r->n_chunk = chunk_lines(r);
    if (!eng_int8_column_bytes(r->conv, &r->each)) return;
    size_t n_pieces = eng_int8_divide_up(r->n_lines, r->n_chunk) * r->conv->groups * r->panels;
    eng_share(r->call->pool, n_pieces, line_flops(r) * (double)r->n_chunk,
              (double)(r->each * ENG_INT8_COLUMNS), run_pieces, r);
}

/* One line: pixels of so many bytes, block by block. */
static void run_depthwise_line(const struct run *r, struct eng_int8_depthwise *d, const uint8_t *x,
                               uint8_t *y, size_t pixel_bytes)
{
    size_t n = r->kernels->n_bytes;
    for (size_t c = 0; c < pixel_bytes && d->n_pixels > 0; c += n) {
        d->n_channels = pixel_bytes - c < n ? pixel_bytes - c : n;
        d->x = x + c;
        d->w = r->call->packed + c / n * r->each;
        d->start = r->call->start + c;
        d->finish = finish_from(&r->call->finish, c);
        d->y = y + c;
        r->kernels->depthwise(d);
    }
}

static void run_depthwise_rows(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    const struct eng_window *w = &r->conv->window;
    size_t channels = r->l.channels, pair = eng_int8_is_paired(r->conv) ? 2 : 1;
    struct eng_int8_depthwise d = {.n_rows = (size_t)w->kernel[1],
                                   .n_columns = (size_t)w->kernel[2],
                                   .x_row = (size_t)w->dilation[1] * r->l.columns * channels,
                                   .x_column = (size_t)w->dilation[2] * channels,
                                   .x_pixel = (size_t)w->stride[2] * channels * pair,
                                   .flip = r->call->flip,
                                   .y_pixel = channels * pair};
    for (size_t i = begin; i < end; i++) {
        size_t x, y, n = line_at(r, i, &x, &y), odd = n % pair, last = (n - odd) * channels;
        d.n_pixels = n / pair;
        run_depthwise_line(r, &d, r->x + x, r->y + y, channels * pair);
        d.n_pixels = odd;
        run_depthwise_line(r, &d, r->x + x + last, r->y + y + last, channels);
    }
}

static void run_depthwise(struct run *r)
{
    size_t taps = eng_window_volume(r->conv->window.kernel);
    if (!eng_int8_block_bytes(r->conv, &r->each)) return;
    /* Registers are put in order and back: a product takes as long as one of floats. */
    double flops = 2 * (double)(r->l.line_pixels * r->l.channels * taps);
    eng_share(r->call->pool, r->n_lines, flops, 0, run_depthwise_rows, r);
}

static void run_wave(struct run *r, size_t first, size_t n)
{
    const struct eng_int8_conv *conv = r->conv;
    size_t out_pixels = eng_window_volume(conv->window.out);
    r->x = r->call->x + first * eng_window_volume(conv->window.in) * r->l.channels;
    r->y = r->call->y + first * out_pixels * r->l.y_channels;
    r->n_pixels = n * out_pixels;
    r->n_lines = r->l.is_flat ? eng_int8_divide_up(r->n_pixels, LINE_PIXELS)
                              : n * (size_t)conv->window.out[1];
    if (r->l.copies) {
        size_t row_bytes = r->l.columns * r->l.channels;
        eng_share(r->call->pool, n * r->l.rows, 0, 2 * (double)row_bytes, pad_rows, r);
        r->x = r->call->scratch;
    }
    if (conv->is_depthwise)
        run_depthwise(r);
    else
        run_product(r);
}

void eng_int8_conv_forward(const struct eng_int8_conv *conv, const struct eng_int8_conv_call *call)
{
    struct run r = {.conv = conv, .call = call, .kernels = eng_int8_kernels()};
    if (conv->n_images == 0 || !make_layout(conv, &r.l)) return;
    for (size_t image = 0; image < conv->n_images; image += r.l.wave) {
        size_t left = conv->n_images - image;
        run_wave(&r, image, left < r.l.wave ? left : r.l.wave);
    }
}
