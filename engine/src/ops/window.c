#include "ops/window.h"

#include "base/error.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

const char *const eng_auto_pad_names[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL};

enum eng_status eng_window_check_count(const char *name, const struct eng_ints *list, int wanted,
                                       struct eng_error *err)
{
    if (list->n == 0 || list->n == wanted) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "attribute '%s' has %d numbers; %d are wanted", name, list->n,
                    wanted);
}

enum eng_status eng_window_check_pads(int auto_pad, const struct eng_ints *pads,
                                      struct eng_error *err)
{
    for (int i = 0; i < pads->n; i++)
        if (auto_pad != ENG_PAD_NOTSET && pads->v[i] != 0)
            return eng_fail(err, ENG_FORMAT, "attribute 'pads' contradicts auto_pad %s",
                            eng_auto_pad_names[auto_pad]);
    return ENG_OK;
}

static enum eng_status check_attrs(const struct eng_window_attrs *attrs,
                                   const struct eng_shape *input, struct eng_error *err)
{
    int n = input->rank - 2;
    if (n < 1 || n > ENG_WINDOW_AXES) {
        char text[96];
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has shape %s; [N, C] and 1 to 3 more dimensions are wanted",
                        eng_shape_format(input, text, sizeof text));
    }
    if (attrs->kernel_shape.n == 0)
        return eng_fail(err, ENG_FORMAT, "attribute 'kernel_shape' is missing");
    enum eng_status status = eng_window_check_count("kernel_shape", &attrs->kernel_shape, n, err);
    if (status == ENG_OK) status = eng_window_check_count("strides", &attrs->strides, n, err);
    if (status == ENG_OK) status = eng_window_check_count("dilations", &attrs->dilations, n, err);
    if (status == ENG_OK) status = eng_window_check_count("pads", &attrs->pads, 2 * n, err);
    return status == ENG_OK ? eng_window_check_pads(attrs->auto_pad, &attrs->pads, err) : status;
}

int64_t eng_window_value(const struct eng_ints *list, int i, int64_t fallback)
{
    return list->n > 0 ? list->v[i] : fallback;
}

/* SAME: as many outputs as strides fit, the padding split evenly, the odd one after or before. */
static void pad_same(struct eng_window *w, int a, int64_t extent, bool upper)
{
    w->out[a] = (w->in[a] + w->stride[a] - 1) / w->stride[a];
    int64_t total = (w->out[a] - 1) * w->stride[a] + extent - w->in[a];
    if (total < 0) total = 0;
    w->pad_begin[a] = upper ? total / 2 : total - total / 2;
    w->pad_end[a] = total - w->pad_begin[a];
}

static void count_outputs(struct eng_window *w, int a, int64_t extent, bool ceil_mode)
{
    int64_t room = w->in[a] + w->pad_begin[a] + w->pad_end[a] - extent;
    if (room < 0) { /* even the first window hangs over the end */
        w->out[a] = ceil_mode && -room < w->stride[a];
        return;
    }
    w->out[a] = room / w->stride[a] + 1;
    if (!ceil_mode || room % w->stride[a] == 0) return;
    /* One more, if it starts inside the image or the padding before it. */
    if (w->out[a] * w->stride[a] < w->in[a] + w->pad_begin[a]) w->out[a]++;
}

/* Axis a of the window is dimension i of the attributes, of n. */
static enum eng_status resolve_axis(const struct eng_window_attrs *attrs, int i, int n, int a,
                                    struct eng_window *w, struct eng_error *err)
{
    w->kernel[a] = attrs->kernel_shape.v[i];
    w->stride[a] = eng_window_value(&attrs->strides, i, 1);
    w->dilation[a] = eng_window_value(&attrs->dilations, i, 1);
    w->pad_begin[a] = eng_window_value(&attrs->pads, i, 0);
    w->pad_end[a] = eng_window_value(&attrs->pads, i + n, 0);
    w->out[a] = 0;
    int64_t extent = (w->kernel[a] - 1) * w->dilation[a] + 1;
    if (attrs->auto_pad == ENG_PAD_SAME_UPPER || attrs->auto_pad == ENG_PAD_SAME_LOWER)
        pad_same(w, a, extent, attrs->auto_pad == ENG_PAD_SAME_UPPER);
    else
        count_outputs(w, a, extent, attrs->ceil_mode);
    if (w->out[a] > 0) return ENG_OK;
    return eng_fail(
        err, ENG_FORMAT,
        "along dimension %d the kernel covers %lld pixels, but the padded input has %lld", i + 2,
        (long long)extent, (long long)(w->in[a] + w->pad_begin[a] + w->pad_end[a]));
}

enum eng_status eng_window_resolve(const struct eng_window_attrs *attrs,
                                   const struct eng_shape *input, struct eng_window *out,
                                   struct eng_error *err)
{
    enum eng_status status = check_attrs(attrs, input, err);
    if (status != ENG_OK) return status;
    struct eng_window w = {.in = {1, 1, 1},
                           .out = {1, 1, 1},
                           .kernel = {1, 1, 1},
                           .stride = {1, 1, 1},
                           .dilation = {1, 1, 1}};
    int n = input->rank - 2;
    int64_t pixels_in = 1, pixels_out = 1;
    for (int i = 0; i < n; i++) {
        int a = ENG_WINDOW_AXES - n + i;
        w.in[a] = input->dim[i + 2];
        if (w.in[a] < 1 || w.in[a] > INT_MAX)
            return eng_fail(err, ENG_LIMIT, "dimension %d of input 0 is %lld; 1 to %d is wanted",
                            i + 2, (long long)w.in[a], INT_MAX);
        status = resolve_axis(attrs, i, n, a, &w, err);
        if (status != ENG_OK) return status;
        if (__builtin_mul_overflow(pixels_in, w.in[a], &pixels_in) || pixels_in > INT_MAX ||
            __builtin_mul_overflow(pixels_out, w.out[a], &pixels_out) || pixels_out > INT_MAX)
            return eng_fail(err, ENG_LIMIT,
                            "dimension %d goes from %lld to %lld; planes of at most %d pixels are "
                            "wanted",
                            i + 2, (long long)w.in[a], (long long)w.out[a], INT_MAX);
    }
    *out = w;
    return ENG_OK;
}

/* The numbers of the axes from `first` on: "3x3", or "2" if they are all the same and is_short. */
static void write_axes(const int64_t *numbers, int first, bool is_short, char *text, size_t size)
{
    bool same = true;
    for (int a = first; a < ENG_WINDOW_AXES; a++)
        same = same && numbers[a] == numbers[first];
    size_t used = 0;
    for (int a = first; a < (same && is_short ? first + 1 : ENG_WINDOW_AXES); a++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", a > first ? "x" : "",
                                 (long long)numbers[a]);
}

void eng_window_describe(const struct eng_window *w, char *text, size_t size)
{
    enum { AXES_SIZE = 32 }; /* three numbers of at most ENG_WINDOW_MAX */
    char kernel[AXES_SIZE], stride[AXES_SIZE], dilation[AXES_SIZE];
    int first = w->in[0] == 1 && w->kernel[0] == 1 ? 1 : 0;
    write_axes(w->kernel, first, false, kernel, sizeof kernel);
    write_axes(w->stride, first, true, stride, sizeof stride);
    write_axes(w->dilation, first, true, dilation, sizeof dilation);
    bool steps = strcmp(stride, "1") != 0, dilates = strcmp(dilation, "1") != 0;
    snprintf(text, size, "%s%s%s%s%s", kernel, steps ? " by " : "", steps ? stride : "",
             dilates ? ", dilated " : "", dilates ? dilation : "");
}

struct eng_shape eng_window_output(const struct eng_window *window, const struct eng_shape *input,
                                   int64_t channels)
{
    struct eng_shape shape = *input;
    shape.dim[1] = channels;
    for (int i = 2; i < input->rank; i++)
        shape.dim[i] = window->out[ENG_WINDOW_AXES - input->rank + i];
    return shape;
}
