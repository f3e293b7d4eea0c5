#include "ops/conv_shape.h"

#include "base/error.h"

#include <stdio.h>

const struct eng_field eng_conv_fields[ENG_CONV_FIELDS] = {
    ENG_F_CHOICE(struct eng_conv_attrs, auto_pad, ENG_PAD_NOTSET, eng_auto_pad_names,
                 "how padding is found"),
    ENG_F_INTS(struct eng_conv_attrs, dilations, 1, ENG_WINDOW_MAX, "distance between kernel taps"),
    ENG_F_INTS(struct eng_conv_attrs, kernel_shape, 1, ENG_WINDOW_MAX,
               "kernel size; W's if left out"),
    ENG_F_INTS(struct eng_conv_attrs, pads, 0, ENG_WINDOW_MAX,
               "zeros before each axis, then after each"),
    ENG_F_INTS(struct eng_conv_attrs, strides, 1, ENG_WINDOW_MAX, "step of the window"),
    ENG_F_INT(struct eng_conv_attrs, group, 1, 1, 1 << 30,
              "channel groups that do not see each other"),
};

static enum eng_status check_weights(const struct eng_shape *x, const struct eng_shape *w,
                                     int64_t group, struct eng_error *err)
{
    if (w->rank != x->rank || w->dim[1] > INT64_MAX / group || w->dim[1] * group != x->dim[1]) {
        char x_text[96], w_text[96];
        return eng_fail(err, ENG_FORMAT,
                        "X %s, W %s and group %lld do not fit: W's second dimension times group "
                        "must be X's channels",
                        eng_shape_format(x, x_text, sizeof x_text),
                        eng_shape_format(w, w_text, sizeof w_text), (long long)group);
    }
    if (w->dim[0] < 1 || w->dim[1] < 1 || w->dim[0] % group != 0)
        return eng_fail(err, ENG_FORMAT,
                        "W has %lld kernels of %lld channels; a multiple of group %lld is wanted",
                        (long long)w->dim[0], (long long)w->dim[1], (long long)group);
    return ENG_OK;
}

/* The kernel's size is W's; an attribute may only repeat it. */
static enum eng_status resolve_window(const struct eng_conv_attrs *attrs, const struct eng_shape *x,
                                      const struct eng_shape *w, struct eng_window *out,
                                      struct eng_error *err)
{
    struct eng_window_attrs window = {.auto_pad = attrs->auto_pad,
                                      .strides = attrs->strides,
                                      .dilations = attrs->dilations,
                                      .pads = attrs->pads};
    window.kernel_shape.n = w->rank - 2;
    for (int i = 0; i < w->rank - 2; i++) {
        int64_t size = w->dim[i + 2];
        if (size < 1 || size > ENG_WINDOW_MAX)
            return eng_fail(err, ENG_FORMAT, "W's dimension %d is %lld; 1 to %d is wanted", i + 2,
                            (long long)size, ENG_WINDOW_MAX);
        if (attrs->kernel_shape.n > i && attrs->kernel_shape.v[i] != size)
            return eng_fail(err, ENG_FORMAT, "kernel_shape[%d] is %lld, but W's dimension is %lld",
                            i, (long long)attrs->kernel_shape.v[i], (long long)size);
        window.kernel_shape.v[i] = size;
    }
    if (attrs->kernel_shape.n > 0 && attrs->kernel_shape.n != w->rank - 2)
        return eng_fail(err, ENG_FORMAT, "attribute 'kernel_shape' has %d numbers; %d are wanted",
                        attrs->kernel_shape.n, w->rank - 2);
    return eng_window_resolve(&window, x, out, err);
}

enum eng_status eng_conv_resolve(const struct eng_conv_attrs *attrs, const struct eng_shape *x,
                                 const struct eng_shape *w, struct eng_conv *out,
                                 struct eng_shape *y, struct eng_error *err)
{
    if (x->rank < 3 || x->rank > 2 + ENG_WINDOW_AXES) {
        char text[96];
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has shape %s of rank %d; rank 3 to 5 is wanted",
                        eng_shape_format(x, text, sizeof text), x->rank);
    }
    enum eng_status status = check_weights(x, w, attrs->group, err);
    if (status == ENG_OK) status = resolve_window(attrs, x, w, &out->window, err);
    if (status != ENG_OK) return status;
    *y = eng_window_output(&out->window, x, w->dim[0]);
    out->n_images = (size_t)x->dim[0];
    out->groups = (size_t)attrs->group;
    out->in_channels = (size_t)w->dim[1];
    out->out_channels = (size_t)(w->dim[0] / attrs->group);
    return ENG_OK;
}

void eng_conv_describe(const struct eng_conv *conv, const char *algorithm, char *text, size_t size)
{
    char window[96];
    bool depthwise = conv->in_channels == 1 && conv->out_channels == 1;
    const char *groups = conv->groups == 1 ? "" : depthwise ? ", depthwise" : ", grouped";
    eng_window_describe(&conv->window, window, sizeof window);
    snprintf(text, size, "%s %s%s", algorithm, window, groups);
}

double eng_conv_flops(const struct eng_conv *conv)
{
    return 2.0 * (double)(conv->n_images * conv->groups * conv->out_channels) *
           (double)eng_window_volume(conv->window.out) * (double)conv->in_channels *
           (double)eng_window_volume(conv->window.kernel);
}
