#include "kernels/conv_source.h"

#include "base/mem.h"

#include <string.h>

static bool has_padding(const struct eng_window *w)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++)
        if (w->pad_begin[a] > 0 || w->pad_end[a] > 0) return true;
    return false;
}

/* A 1x1 convolution that visits each pixel once: the image is one long row. (A transposed one may
 * have pixels beyond those that it reaches.) */
static bool is_pointwise(const struct eng_window *w)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 1 || w->stride[a] != 1 || w->in[a] != w->out[a]) return false;
    return !has_padding(w);
}

static void init_one_row(struct eng_conv_source *s)
{
    s->n_rows = s->rows_per_slice = 1;
    s->width = s->span = s->channel = eng_window_volume(s->window->out);
}

/* How the copy, or the image itself, is laid out along one axis. */
static void init_axis(struct eng_conv_source *s, int axis)
{
    const struct eng_window *w = s->window;
    size_t stride = s->kind == ENG_SOURCE_COPY ? (size_t)w->stride[axis] : 1;
    size_t reach = (size_t)((w->kernel[axis] - 1) * w->dilation[axis]);
    size_t padded = (size_t)(w->in[axis] + w->pad_begin[axis] + w->pad_end[axis]);
    s->n_planes[axis] = stride < reach + 1 ? stride : reach + 1;
    s->size[axis] = (padded + stride - 1) / stride;
}

bool eng_conv_source_init(const struct eng_window *w, struct eng_conv_source *out)
{
    *out = (struct eng_conv_source){.window = w, .kind = ENG_SOURCE_IMAGE};
    if (has_padding(w) || w->stride[2] != 1) out->kind = ENG_SOURCE_COPY;
    out->channel = 1;
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        init_axis(out, a);
        if (!eng_mul_size(out->channel, out->size[a], &out->channel) ||
            !eng_mul_size(out->channel, out->n_planes[a], &out->channel))
            return false;
    }
    if (is_pointwise(w)) {
        init_one_row(out);
        return true;
    }
    bool is_copy = out->kind == ENG_SOURCE_COPY;
    out->rows_per_slice = (size_t)w->out[1];
    out->n_rows = (size_t)(w->out[0] * w->out[1]);
    out->width = (size_t)w->out[2];
    out->row_step = (is_copy ? 1 : (size_t)w->stride[1]) * out->size[2];
    out->slice_step = (is_copy ? 1 : (size_t)w->stride[0]) * out->size[1] * out->size[2];
    out->span = eng_conv_source_row(out, out->n_rows - 1) + out->width;
    return true;
}

void eng_conv_source_taps(const struct eng_conv_source *s, bool mirrored, ptrdiff_t *taps)
{
    const struct eng_window *w = s->window;
    size_t n_taps = eng_window_volume(w->kernel);
    for (size_t t = 0; t < n_taps; t++) {
        size_t index[ENG_WINDOW_AXES] = {t / (size_t)(w->kernel[2] * w->kernel[1]),
                                         t / (size_t)w->kernel[2] % (size_t)w->kernel[1],
                                         t % (size_t)w->kernel[2]};
        size_t plane = 0, at = 0;
        for (int a = 0; a < ENG_WINDOW_AXES; a++) {
            size_t stride = s->kind == ENG_SOURCE_COPY ? (size_t)w->stride[a] : 1;
            size_t offset = index[a] * (size_t)w->dilation[a];
            plane = plane * s->n_planes[a] + offset % stride;
            at = at * s->size[a] + offset / stride;
        }
        at += plane * s->size[0] * s->size[1] * s->size[2];
        taps[mirrored ? n_taps - 1 - t : t] = (ptrdiff_t)at;
    }
}

/* The positions [first, last) of plane k along an axis that lie in the image, and where the first
 * does. */
struct part {
    size_t first, last, from;
};

static struct part part_of(const struct eng_conv_source *s, int axis, size_t k)
{
    size_t stride = (size_t)s->window->stride[axis], pad = (size_t)s->window->pad_begin[axis];
    size_t end = pad + (size_t)s->window->in[axis];
    struct part part = {.first = pad > k ? (pad - k + stride - 1) / stride : 0};
    part.last = end > k ? (end - k + stride - 1) / stride : 0;
    if (part.last < part.first) part.last = part.first;
    part.from = part.first * stride + k - pad;
    return part;
}

/* Stride 2 stands by itself so that it becomes shuffles. */
static void copy_row(const float *row, size_t stride, float *out, size_t n)
{
    if (stride == 1)
        memcpy(out, row, n * sizeof *out);
    else if (stride == 2)
        for (size_t i = 0; i < n; i++)
            out[i] = row[2 * i];
    else
        for (size_t i = 0; i < n; i++)
            out[i] = row[i * stride];
}

/* What of the image belongs to one plane; the rest of it is zero already. */
static void fill_plane(const struct eng_conv_source *s, const size_t k[ENG_WINDOW_AXES],
                       const float *image, float *plane)
{
    const struct eng_window *w = s->window;
    struct part z = part_of(s, 0, k[0]), y = part_of(s, 1, k[1]), x = part_of(s, 2, k[2]);
    if (x.first == x.last) return;
    for (size_t i = z.first; i < z.last; i++) {
        for (size_t j = y.first; j < y.last; j++) {
            size_t in_z = z.from + (i - z.first) * (size_t)w->stride[0];
            size_t in_y = y.from + (j - y.first) * (size_t)w->stride[1];
            copy_row(image + (in_z * (size_t)w->in[1] + in_y) * (size_t)w->in[2] + x.from,
                     (size_t)w->stride[2], plane + (i * s->size[1] + j) * s->size[2] + x.first,
                     x.last - x.first);
        }
    }
}

void eng_conv_source_fill(const struct eng_conv_source *s, const float *image, float *channel)
{
    memset(channel, 0, s->channel * sizeof *channel);
    size_t plane = s->size[0] * s->size[1] * s->size[2], k[ENG_WINDOW_AXES];
    for (k[0] = 0; k[0] < s->n_planes[0]; k[0]++)
        for (k[1] = 0; k[1] < s->n_planes[1]; k[1]++)
            for (k[2] = 0; k[2] < s->n_planes[2]; k[2]++, channel += plane)
                fill_plane(s, k, image, channel);
}
