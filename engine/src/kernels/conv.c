#include "kernels/conv.h"

#include "base/mem.h"
#include "kernels/gemm.h"
#include "kernels/im2col.h"

#include <string.h>

/* Images are spread over at most this many chunks, each with columns of its own. */
enum { MAX_CHUNKS = 16 };

static size_t chunk_images(const struct eng_conv *conv)
{
    return (conv->n_images + MAX_CHUNKS - 1) / MAX_CHUNKS;
}

static size_t n_columns(const struct eng_conv *conv)
{
    return conv->in_channels * eng_window_volume(conv->window.kernel);
}

/* A 1x1 convolution that visits each pixel once: its columns are the image itself. */
static bool is_pointwise(const struct eng_window *w)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->pad_begin[a] != 0 || w->pad_end[a] != 0)
            return false;
    return true;
}

bool eng_conv_scratch_bytes(const struct eng_conv *conv, bool training, size_t *out)
{
    size_t floats, bytes, n_chunks = conv->n_images < MAX_CHUNKS ? conv->n_images : MAX_CHUNKS;
    if (is_pointwise(&conv->window) && !training) {
        *out = 0;
        return true;
    }
    if (!eng_mul_size(n_columns(conv), eng_window_volume(conv->window.out), &floats) ||
        !eng_mul_size(floats, sizeof(float), &bytes) || bytes > SIZE_MAX / 64)
        return false;
    *out = n_chunks * eng_align_up(bytes);
    return true;
}

struct forward {
    const struct eng_conv *conv;
    const float *x, *w, *bias;
    struct eng_activation activation;
    float *y;
    char *scratch;
    size_t chunk_bytes;
};

static void add_bias(const struct forward *f, size_t first_channel, float *y)
{
    size_t n_pixels = eng_window_volume(f->conv->window.out);
    for (size_t c = 0; c < f->conv->out_channels; c++) {
        float *plane = y + c * n_pixels, bias = f->bias ? f->bias[first_channel + c] : 0;
        for (size_t i = 0; i < n_pixels; i++)
            plane[i] += bias;
        eng_activation_forward(f->activation, plane, plane, n_pixels);
    }
}

static void forward_group(const struct forward *f, size_t image, size_t group, float *columns)
{
    const struct eng_conv *conv = f->conv;
    size_t n_in = eng_window_volume(conv->window.in), n_out = eng_window_volume(conv->window.out);
    size_t n_taps = eng_window_volume(conv->window.kernel), k = n_columns(conv);
    const float *x = f->x + (image * conv->groups + group) * conv->in_channels * n_in;
    float *y = f->y + (image * conv->groups + group) * conv->out_channels * n_out;
    if (!is_pointwise(&conv->window)) {
        for (size_t c = 0; c < conv->in_channels; c++)
            eng_im2col(&conv->window, x + c * n_in, columns + c * n_taps * n_out);
        x = columns;
    }
    eng_gemm_blas(&(struct eng_gemm){.m = conv->out_channels,
                                     .n = n_out,
                                     .k = k,

                                     .a = f->w + group * conv->out_channels * k,
                                     .lda = k,
                                     .b = x,
                                     .ldb = n_out,
                                     .c = y,
                                     .ldc = n_out});
    add_bias(f, group * conv->out_channels, y);
}

static void forward_images(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    float *columns = (float *)(f->scratch + begin / chunk_images(f->conv) * f->chunk_bytes);
    for (size_t i = begin; i < end; i++)
        for (size_t g = 0; g < f->conv->groups; g++)
            forward_group(f, i, g, columns);
}

void eng_conv_forward(const struct eng_conv *conv, const float *x, const float *w,
                      const float *bias, struct eng_activation activation, float *y, void *scratch,
                      struct eng_pool *pool)
{
    struct forward f = {.conv = conv,
                        .x = x,
                        .w = w,
                        .bias = bias,
                        .activation = activation,
                        .y = y,
                        .scratch = scratch};
    f.chunk_bytes =
        is_pointwise(&conv->window)
            ? 0
            : eng_align_up(n_columns(conv) * eng_window_volume(conv->window.out) * sizeof(float));
    if (conv->n_images > 0)
        eng_pool_for(pool, conv->n_images, chunk_images(conv), forward_images, &f);
}

static void backward_group(const struct eng_conv *conv, const float *x, const float *w,
                           const float *dy, float *dx, float *dw, float *columns)
{
    size_t n_in = eng_window_volume(conv->window.in), n_out = eng_window_volume(conv->window.out);
    size_t n_taps = eng_window_volume(conv->window.kernel), k = n_columns(conv);
    if (dw) {
        for (size_t c = 0; c < conv->in_channels; c++)
            eng_im2col(&conv->window, x + c * n_in, columns + c * n_taps * n_out);
        eng_gemm_blas(&(struct eng_gemm){.trans_b = true,
                                         .m = conv->out_channels,
                                         .n = k,
                                         .k = n_out,
                                         .accumulate = true,
                                         .a = dy,
                                         .lda = n_out,
                                         .b = columns,
                                         .ldb = n_out,
                                         .c = dw,
                                         .ldc = k});
    }
    if (dx) {
        eng_gemm_blas(&(struct eng_gemm){.trans_a = true,
                                         .m = k,
                                         .n = n_out,
                                         .k = conv->out_channels,

                                         .a = w,
                                         .lda = k,
                                         .b = dy,
                                         .ldb = n_out,
                                         .c = columns,
                                         .ldc = n_out});
        for (size_t c = 0; c < conv->in_channels; c++)
            eng_col2im(&conv->window, columns + c * n_taps * n_out, dx + c * n_in);
    }
}

static void backward_bias(const struct eng_conv *conv, const float *dy, float *dbias)
{
    size_t n_out = eng_window_volume(conv->window.out);
    for (size_t i = 0; i < conv->n_images; i++) {
        for (size_t c = 0; c < conv->groups * conv->out_channels; c++, dy += n_out) {
            float sum = 0;
            for (size_t p = 0; p < n_out; p++)
                sum += dy[p];
            dbias[c] += sum;
        }
    }
}

void eng_conv_backward(const struct eng_conv *conv, const float *x, const float *w, const float *dy,
                       float *dx, float *dw, float *dbias, void *scratch)
{
    size_t x_step = conv->in_channels * eng_window_volume(conv->window.in);
    size_t y_step = conv->out_channels * eng_window_volume(conv->window.out);
    size_t w_step = conv->out_channels * n_columns(conv);
    for (size_t i = 0; i < conv->n_images * conv->groups; i++) {
        size_t g = i % conv->groups;
        backward_group(conv, x + i * x_step, w + g * w_step, dy + i * y_step,
                       dx ? dx + i * x_step : NULL, dw ? dw + g * w_step : NULL, scratch);
    }
    if (dbias) backward_bias(conv, dy, dbias);
}
