#include "kernels/conv_double.h"

/* n numbers from one place, weighed, are added to those of another. */
static void add_line(const double *from, int64_t from_step, double weight, double *to,
                     int64_t to_step, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i * to_step] += weight * from[i * from_step];
}

/* One plane of x, one of y; whichever is const is read. */
struct planes {
    const struct eng_window *window;
    const double *x_from, *y_from;
    double *x_to, *y_to;
};

/* Adds what one tap of the kernel, of this weight, sees. */
static void add_tap(const struct planes *p, const int64_t tap[ENG_WINDOW_AXES], double weight)
{
    const struct eng_window *w = p->window;
    int64_t first[ENG_WINDOW_AXES], last[ENG_WINDOW_AXES], offset[ENG_WINDOW_AXES];
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        eng_window_reach(w, a, tap[a], &first[a], &last[a]);
        offset[a] = tap[a] * w->dilation[a] - w->pad_begin[a];
    }
    if (first[2] == last[2]) return;
    for (int64_t z = first[0]; z < last[0]; z++) {
        for (int64_t r = first[1]; r < last[1]; r++) {
            int64_t x = (z * w->stride[0] + offset[0]) * w->in[1] + r * w->stride[1] + offset[1];
            x = x * w->in[2] + first[2] * w->stride[2] + offset[2];
            int64_t y = (z * w->out[1] + r) * w->out[2] + first[2];
            if (p->y_to)
                add_line(p->x_from + x, w->stride[2], weight, p->y_to + y, 1, last[2] - first[2]);
            else
                add_line(p->y_from + y, 1, weight, p->x_to + x, w->stride[2], last[2] - first[2]);
        }
    }
}

static void add_plane(const struct planes *p, const double *w)
{
    const int64_t *kernel = p->window->kernel;
    int64_t tap[ENG_WINDOW_AXES];
    for (tap[0] = 0; tap[0] < kernel[0]; tap[0]++)
        for (tap[1] = 0; tap[1] < kernel[1]; tap[1]++)
            for (tap[2] = 0; tap[2] < kernel[2]; tap[2]++)
                add_tap(p, tap, *w++);
}

/* Every plane of y with every plane of x of its group; the pointers of `all` are whole tensors. */
static void add_all(const struct eng_conv *conv, const struct planes *all, const double *w)
{
    size_t n_in = eng_window_volume(conv->window.in), n_out = eng_window_volume(conv->window.out);
    size_t n_taps = eng_window_volume(conv->window.kernel),
           n_kernels = conv->groups * conv->out_channels;
    for (size_t y = 0; y < conv->n_images * n_kernels; y++) {
        size_t image = y / n_kernels, m = y % n_kernels, group = m / conv->out_channels;
        for (size_t c = 0; c < conv->in_channels; c++) {
            size_t x = (image * conv->groups + group) * conv->in_channels + c;
            struct planes p = *all;
            if (p.y_to) {
                p.x_from += x * n_in;
                p.y_to += y * n_out;
            } else {
                p.y_from += y * n_out;
                p.x_to += x * n_in;
            }
            add_plane(&p, w + (m * conv->in_channels + c) * n_taps);
        }
    }
}

static void fill_planes(const double *bias, size_t n_channels, size_t n_planes, size_t n_pixels,
                        double *to)
{
    for (size_t plane = 0; plane < n_planes; plane++)
        for (size_t i = 0; i < n_pixels; i++)
            *to++ = bias ? bias[plane % n_channels] : 0;
}

void eng_conv_double(const struct eng_conv *conv, const double *x, const double *w,
                     const double *bias, double *y)
{
    struct planes planes = {.window = &conv->window, .x_from = x, .y_to = y};
    size_t n_channels = conv->groups * conv->out_channels;
    fill_planes(bias, n_channels, conv->n_images * n_channels, eng_window_volume(conv->window.out),
                y);
    add_all(conv, &planes, w);
}

void eng_conv_double_transpose(const struct eng_conv *conv, const double *dy, const double *w,
                               const double *bias, double *dx)
{
    struct planes planes = {.window = &conv->window, .y_from = dy, .x_to = dx};
    size_t n_channels = conv->groups * conv->in_channels;
    fill_planes(bias, n_channels, conv->n_images * n_channels, eng_window_volume(conv->window.in),
                dx);
    add_all(conv, &planes, w);
}
