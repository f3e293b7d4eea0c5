#include "kernels/conv.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/conv_source.h"
#include "kernels/correlate.h"
#include "kernels/dispatch.h"
#include "kernels/gemm.h"
#include "kernels/im2col.h"
#include "kernels/winograd.h"

#include <math.h>
#include <string.h>

static size_t n_taps(const struct eng_conv *conv)
{
    return eng_window_volume(conv->window.kernel);
}

/* Weights of one output channel. */
static size_t n_weights(const struct eng_conv *conv)
{
    return conv->in_channels * n_taps(conv);
}

static struct eng_correlation forward_correlation(const struct eng_conv *conv)
{
    return (struct eng_correlation){.window = conv->window,
                                    .n_images = conv->n_images,
                                    .n_groups = conv->groups,
                                    .in_channels = conv->in_channels,
                                    .out_channels = conv->out_channels,
                                    .w_group = conv->out_channels * n_weights(conv),
                                    .w_out = n_weights(conv),
                                    .w_in = n_taps(conv)};
}

/* dX is dY, padded so that every tap reaches it, correlated with the mirrored kernel; that holds if
 * the window steps by 1. False otherwise. */
static bool input_correlation(const struct eng_conv *conv, struct eng_correlation *out)
{
    struct eng_window w = conv->window;
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        int64_t reach = (w.kernel[a] - 1) * w.dilation[a];
        if (w.stride[a] != 1 || w.pad_begin[a] > reach || w.pad_end[a] > reach) return false;
        w.in[a] = conv->window.out[a];
        w.out[a] = conv->window.in[a];
        w.pad_begin[a] = reach - w.pad_begin[a];
        w.pad_end[a] = w.out[a] - w.in[a] + reach - w.pad_begin[a]; /* what is left of reach */
    }
    *out = forward_correlation(conv);
    out->window = w;
    out->in_channels = conv->out_channels;
    out->out_channels = conv->in_channels;
    out->w_out = n_taps(conv);
    out->w_in = n_weights(conv);
    out->mirrored = true;
    return true;
}

/* --- scratch --- */

enum {
    WAVE_BYTES = 1 << 20,
    MAX_WAVE = 64,
};

/* What the gradient of the weights reads: sources of X, and dY with the gaps that the source's rows
 * have, so that both are one long row per channel. */
struct weight_layout {
    struct eng_conv_source source;
    size_t source_floats, dy_floats; /* of one image; 0: X or dY itself is read */
    size_t taps_bytes, wave;
};

static bool weight_layout(const struct eng_conv *conv, struct weight_layout *l)
{
    *l = (struct weight_layout){.taps_bytes = eng_align_up(n_taps(conv) * sizeof(ptrdiff_t))};
    size_t floats;
    if (!eng_conv_source_init(&conv->window, &l->source)) return false;
    if (l->source.kind != ENG_SOURCE_IMAGE &&
        !eng_mul_size(conv->groups * conv->in_channels, l->source.channel, &l->source_floats))
        return false;
    if (l->source.span != eng_window_volume(conv->window.out) &&
        !eng_mul_size(conv->groups * conv->out_channels, l->source.span, &l->dy_floats))
        return false;
    if (!eng_add_size(l->source_floats, l->dy_floats, &floats) || floats > SIZE_MAX / 1024)
        return false;
    l->wave = floats > 0 ? WAVE_BYTES / sizeof(float) / floats : MAX_WAVE;
    if (l->wave > MAX_WAVE) l->wave = MAX_WAVE;
    if (l->wave > conv->n_images) l->wave = conv->n_images;
    if (l->wave == 0) l->wave = 1;
    return true;
}

static bool correlate_scratch_bytes(const struct eng_correlation *c, bool training, size_t *out)
{
    return training && eng_winograd_suits(c) ? eng_winograd_scratch_bytes(c, out)
                                             : eng_correlate_scratch_bytes(c, out);
}

static bool input_scratch_bytes(const struct eng_conv *conv, size_t *out)
{
    struct eng_correlation correlation;
    size_t floats;
    if (input_correlation(conv, &correlation))
        return correlate_scratch_bytes(&correlation, conv->training, out);
    return eng_mul_size(n_weights(conv), eng_window_volume(conv->window.out), &floats) &&
           eng_mul_size(floats, sizeof(float), out);
}

static bool backward_scratch_bytes(const struct eng_conv *conv, size_t *out)
{
    struct weight_layout l;
    size_t for_input;
    if (!weight_layout(conv, &l) || !input_scratch_bytes(conv, &for_input)) return false;
    size_t for_weights = l.taps_bytes + l.wave * (l.source_floats + l.dy_floats) * sizeof(float);
    *out = for_input > for_weights ? for_input : for_weights;
    return true;
}

bool eng_conv_scratch_bytes(const struct eng_conv *conv, size_t *out)
{
    struct eng_correlation correlation = forward_correlation(conv);
    size_t forward, backward = 0;
    if (!correlate_scratch_bytes(&correlation, conv->training, &forward)) return false;
    if (conv->training && !backward_scratch_bytes(conv, &backward)) return false;
    *out = forward > backward ? forward : backward;
    return true;
}

bool eng_conv_transpose_scratch_bytes(const struct eng_conv *conv, size_t *out)
{
    return conv->training ? eng_conv_scratch_bytes(conv, out) : input_scratch_bytes(conv, out);
}

/* --- forward --- */

const char *eng_conv_algorithm(const struct eng_conv *conv)
{
    struct eng_correlation correlation = forward_correlation(conv);
    if (conv->training && eng_winograd_suits(&correlation)) return "winograd 4x4";
    return n_taps(conv) == 1 ? "product" : "direct";
}

void eng_conv_forward(const struct eng_conv *conv, const float *x, const float *w,
                      const float *bias, struct eng_activation activation, float *y, void *scratch,
                      struct eng_pool *pool)
{
    struct eng_correlation correlation = forward_correlation(conv);
    if (conv->training && eng_winograd_suits(&correlation))
        eng_winograd_correlate(&correlation, x, w, bias, activation, y, scratch);
    else
        eng_correlate(&correlation, x, w, bias, activation, y, scratch, pool);
}

/* --- backward --- */

/* From the columns of one group to the planes that they came from. */
struct columns_back {
    const struct eng_window *window;
    const float *columns;
    float *planes;
};

/* Index: channel. */
static void add_columns(void *ctx, size_t begin, size_t end)
{
    const struct columns_back *b = ctx;
    size_t n_in = eng_window_volume(b->window->in);
    size_t n_column = eng_window_volume(b->window->kernel) * eng_window_volume(b->window->out);
    for (size_t c = begin; c < end; c++)
        eng_col2im(b->window, b->columns + c * n_column, b->planes + c * n_in);
}

/* The window steps further than 1: the gradient of the columns, then of the pixels they came from.
 */
static void input_by_columns(const struct eng_conv *conv, const float *w, const float *dy,
                             float *dx, float *columns, struct eng_pool *pool)
{
    size_t n_in = eng_window_volume(conv->window.in), n_out = eng_window_volume(conv->window.out);
    struct eng_gemm gemm = {.trans_a = true,
                            .m = n_weights(conv),
                            .n = n_out,
                            .k = conv->out_channels,
                            .lda = n_weights(conv),
                            .ldb = n_out,
                            .c = columns,
                            .ldc = n_out};
    for (size_t i = 0; i < conv->n_images * conv->groups; i++) {
        gemm.a = w + i % conv->groups * conv->out_channels * n_weights(conv);
        gemm.b = dy + i * conv->out_channels * n_out;
        eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, pool);
        struct columns_back back = {&conv->window, columns, dx + i * conv->in_channels * n_in};
        double n_sums = (double)n_taps(conv) * (double)n_out;
        eng_share(pool, conv->in_channels, 8 * n_sums, 12 * n_sums, add_columns, &back);
    }
}

const char *eng_conv_transpose_algorithm(const struct eng_conv *conv)
{
    struct eng_correlation correlation;
    if (!input_correlation(conv, &correlation)) return "columns";
    return conv->training && eng_winograd_suits(&correlation) ? "winograd 4x4" : "direct";
}

void eng_conv_transpose(const struct eng_conv *conv, const float *dy, const float *w, float *dx,
                        bool write, void *scratch, struct eng_pool *pool)
{
    struct eng_correlation correlation = {0};
    struct eng_activation none = {.kind = ENG_ACT_NONE};
    bool correlates = input_correlation(conv, &correlation);
    correlation.accumulate = !write;
    if (correlates && conv->training && eng_winograd_suits(&correlation)) {
        eng_winograd_correlate(&correlation, dy, w, NULL, none, dx, scratch);
    } else if (correlates) {
        eng_correlate(&correlation, dy, w, NULL, none, dx, scratch, pool);
    } else {
        size_t n_in =
            conv->n_images * conv->groups * conv->in_channels * eng_window_volume(conv->window.in);
        if (write) memset(dx, 0, n_in * sizeof *dx);
        input_by_columns(conv, w, dy, dx, scratch, pool);
    }
}

/* One channel of dY, its rows as far apart as the source's, zeros between. */
static void spread_rows(const struct eng_conv_source *s, const float *dy, float *out)
{
    memset(out, 0, s->span * sizeof *out);
    for (size_t row = 0; row < s->n_rows; row++)
        memcpy(out + eng_conv_source_row(s, row), dy + row * s->width, s->width * sizeof *out);
}

/* dW[out, in, tap] += sum over images and pixels of dY[out, pixel] source[in, tap + pixel]. One
 * group; x and dy are what the layout reads, a step per image. */
static void weights_of_group(const struct eng_conv *conv, const struct weight_layout *l,
                             const ptrdiff_t *taps, size_t n_images, const float *x, size_t x_step,
                             const float *dy, size_t dy_step, float *dw)
{
    struct eng_dot dot = {.n_rows = conv->out_channels,
                          .n_parts = n_images,
                          .length = l->source.span,
                          .a = dy,
                          .a_row = l->source.span,
                          .a_part = dy_step,
                          .b_part = x_step,
                          .c = dw,
                          .c_row = n_weights(conv),
                          .accumulate = true,
                          .low = -INFINITY,
                          .high = INFINITY};
    size_t n = n_weights(conv);
    for (size_t k = 0; k < n; k += dot.n_columns) {
        dot.n_columns = n - k < ENG_DOT_ROWS ? n - k : ENG_DOT_ROWS;
        for (size_t j = 0; j < dot.n_columns; j++) {
            size_t channel = (k + j) / n_taps(conv), tap = (k + j) % n_taps(conv);
            dot.b[j] = x + channel * l->source.channel + taps[tap];
            dot.c_column[j] = k + j;
        }
        eng_kernels()->dot(&dot);
    }
}

static void backward_weights(const struct eng_conv *conv, const float *x, const float *dy,
                             float *dw, void *scratch)
{
    struct weight_layout l;
    if (!weight_layout(conv, &l)) return; /* cannot be: eng_conv_scratch_bytes said so */
    size_t n_in = eng_window_volume(conv->window.in), n_out = eng_window_volume(conv->window.out);
    size_t in_channels = conv->groups * conv->in_channels;
    size_t out_channels = conv->groups * conv->out_channels;
    ptrdiff_t *taps = scratch;
    float *sources = (float *)((char *)scratch + l.taps_bytes);
    float *spread = sources + l.wave * l.source_floats;
    eng_conv_source_taps(&l.source, false, taps);
    for (size_t first = 0; first < conv->n_images; first += l.wave) {
        size_t n = conv->n_images - first < l.wave ? conv->n_images - first : l.wave;
        const float *x_wave = x + first * in_channels * n_in;
        const float *dy_wave = dy + first * out_channels * n_out;
        for (size_t i = 0; l.source_floats > 0 && i < n * in_channels; i++)
            eng_conv_source_fill(&l.source, x_wave + i * n_in, sources + i * l.source.channel);
        for (size_t i = 0; l.dy_floats > 0 && i < n * out_channels; i++)
            spread_rows(&l.source, dy_wave + i * n_out, spread + i * l.source.span);
        const float *from_x = l.source_floats > 0 ? sources : x_wave;
        const float *from_dy = l.dy_floats > 0 ? spread : dy_wave;
        for (size_t g = 0; g < conv->groups; g++)
            weights_of_group(
                conv, &l, taps, n, from_x + g * conv->in_channels * l.source.channel,
                in_channels * l.source.channel, from_dy + g * conv->out_channels * l.source.span,
                out_channels * l.source.span, dw + g * conv->out_channels * n_weights(conv));
    }
}

static void backward_bias(const struct eng_conv *conv, const float *dy, float *dbias)
{
    size_t n_out = eng_window_volume(conv->window.out);
    for (size_t i = 0; i < conv->n_images; i++) {
        for (size_t c = 0; c < conv->groups * conv->out_channels; c++, dy += n_out)
            dbias[c] += eng_kernels()->sum(dy, 0, n_out);
    }
}

void eng_conv_backward(const struct eng_conv *conv, const struct eng_conv_gradients *g,
                       void *scratch)
{
    struct eng_correlation correlation = forward_correlation(conv);
    /* dX goes first: it may be written, and be dW's memory, where X is W too. */
    if (g->dx) eng_conv_transpose(conv, g->dy, g->w, g->dx, g->write_dx, scratch, NULL);
    if (g->dw && eng_winograd_suits(&correlation))
        eng_winograd_weights(&correlation, g->x, g->dy, g->dw, scratch);
    else if (g->dw)
        backward_weights(conv, g->x, g->dy, g->dw, scratch);
    if (g->dbias) backward_bias(conv, g->dy, g->dbias);
}
