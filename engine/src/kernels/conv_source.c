#include "kernels/conv_source.h"

#include "base/mem.h"
#include "kernels/im2col.h"

#include <string.h>

static bool has_padding(const struct eng_window *w)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++)
        if (w->pad_begin[a] > 0 || w->pad_end[a] > 0) return true;
    return false;
}

static bool is_pointwise(const struct eng_window *w)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1) return false;
    return !has_padding(w);
}

/* The image's size on an axis, with its padding. */
static size_t padded(const struct eng_window *w, int axis)
{
    return (size_t)(w->in[axis] + w->pad_begin[axis] + w->pad_end[axis]);
}

/* Output pixels are one long row: the columns of im2col, or the pixels of the image itself. */
static bool init_one_row(struct eng_conv_source *s, enum eng_conv_source_kind kind)
{
    s->kind = kind;
    s->n_rows = s->rows_per_slice = 1;
    s->width = s->span = eng_window_volume(s->window->out);
    return eng_mul_size(eng_window_volume(s->window->kernel), s->width, &s->channel);
}

bool eng_conv_source_init(const struct eng_window *w, struct eng_conv_source *out)
{
    *out = (struct eng_conv_source){.window = w};
    if (is_pointwise(w)) return init_one_row(out, ENG_SOURCE_IMAGE);
    if (w->stride[2] != 1) return init_one_row(out, ENG_SOURCE_COLUMNS);
    out->kind = has_padding(w) ? ENG_SOURCE_PADDED : ENG_SOURCE_IMAGE;
    out->rows_per_slice = (size_t)w->out[1];
    out->n_rows = (size_t)(w->out[0] * w->out[1]);
    out->width = (size_t)w->out[2];
    size_t slice;
    if (!eng_mul_size(padded(w, 1), padded(w, 2), &slice) ||
        !eng_mul_size(slice, padded(w, 0), &out->channel))
        return false;
    out->row_step = (size_t)w->stride[1] * padded(w, 2);
    out->slice_step = (size_t)w->stride[0] * slice;
    out->span = eng_conv_source_row(out, out->n_rows - 1) + out->width;
    return true;
}

void eng_conv_source_taps(const struct eng_conv_source *s, bool mirrored, ptrdiff_t *taps)
{
    const struct eng_window *w = s->window;
    size_t n_taps = eng_window_volume(w->kernel), width = padded(w, 2);
    for (size_t t = 0; t < n_taps; t++) {
        size_t x = t % (size_t)w->kernel[2], y = t / (size_t)w->kernel[2] % (size_t)w->kernel[1];
        size_t z = t / (size_t)(w->kernel[2] * w->kernel[1]);
        size_t at = x * (size_t)w->dilation[2] + y * (size_t)w->dilation[1] * width +
                    z * (size_t)w->dilation[0] * width * padded(w, 1);
        if (s->kind == ENG_SOURCE_COLUMNS) at = t * s->width;
        taps[mirrored ? n_taps - 1 - t : t] = (ptrdiff_t)at;
    }
}

static void copy_padded_row(const struct eng_window *w, const float *row, float *out)
{
    size_t before = (size_t)w->pad_begin[2], n = (size_t)w->in[2], after = (size_t)w->pad_end[2];
    memset(out, 0, before * sizeof *out);
    memcpy(out + before, row, n * sizeof *out);
    memset(out + before + n, 0, after * sizeof *out);
}

void eng_conv_source_fill(const struct eng_conv_source *s, const float *plane, float *channel)
{
    const struct eng_window *w = s->window;
    if (s->kind == ENG_SOURCE_COLUMNS) {
        eng_im2col(w, plane, channel);
        return;
    }
    size_t width = padded(w, 2);
    for (int64_t z = -w->pad_begin[0]; z < w->in[0] + w->pad_end[0]; z++) {
        for (int64_t y = -w->pad_begin[1]; y < w->in[1] + w->pad_end[1]; y++, channel += width) {
            if (z < 0 || z >= w->in[0] || y < 0 || y >= w->in[1])
                memset(channel, 0, width * sizeof *channel);
            else
                copy_padded_row(w, plane + (z * w->in[1] + y) * w->in[2], channel);
        }
    }
}
