/*
 * The maximum, the mean or the p-norm of each window of an image.
 *
 * Shapes: X [N, C, D1 .. Dn], Y [N, C, E1 .. En]; n from 1 to 3. The norm is (sum |x|^p)^(1 / p).
 * MaxPool's second output holds each maximum's index in X as one flat row; storage_order 1 counts
 * the plane's first axis fastest, and is -1 where dilation makes the window step over the image. A
 * ceil_mode window that would start beyond the image is left out.
 * Source: ONNX MaxPool 1, 8, 10, 11, 12; AveragePool 7, 10, 11, 19; LpPool 2, 11, 18.
 */
#include "ops/pooling.h"

#include "base/error.h"
#include "kernels/pooling.h"

#define SHARED_FIELDS                                                                             \
    ENG_F_CHOICE(struct eng_pool_attrs, auto_pad, ENG_PAD_NOTSET, eng_auto_pad_names,             \
                 "how padding is found"),                                                         \
        ENG_F_BOOL(struct eng_pool_attrs, ceil_mode, 0, "the last window may hang over the end"), \
        ENG_F_INTS(struct eng_pool_attrs, kernel_shape, 1, ENG_WINDOW_MAX, "size of the window"), \
        ENG_F_INTS(struct eng_pool_attrs, pads, 0, ENG_WINDOW_MAX,                                \
                   "before each axis, then after each"),                                          \
        ENG_F_INTS(struct eng_pool_attrs, strides, 1, ENG_WINDOW_MAX, "step of the window"),      \
        ENG_F_INTS(struct eng_pool_attrs, dilations, 1, ENG_WINDOW_MAX, "distance between taps")

static const struct eng_field max_pool_fields[] = {
    SHARED_FIELDS,
    ENG_F_BOOL(struct eng_pool_attrs, storage_order, 0, "Indices count columns first"),
};

static const struct eng_field average_pool_fields[] = {
    SHARED_FIELDS,
    ENG_F_BOOL(struct eng_pool_attrs, count_include_pad, 0, "the mean counts padding as zeros"),
};

static const struct eng_field lp_pool_fields[] = {
    SHARED_FIELDS,
    ENG_F_INT(struct eng_pool_attrs, p, 2, 1, 1000, "exponent of the norm"),
};

struct state {
    struct eng_window window;
    size_t n_planes;
};

/* A window that sees only padding has no maximum and no mean. */
static enum eng_status check_pads(const struct eng_window *w, struct eng_error *err)
{
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        int64_t extent = (w->kernel[a] - 1) * w->dilation[a] + 1;
        int64_t most = w->pad_begin[a] > w->pad_end[a] ? w->pad_begin[a] : w->pad_end[a];
        if (most >= extent)
            return eng_fail(err, ENG_FORMAT, "padding %lld is not smaller than the window's %lld",
                            (long long)most, (long long)extent);
    }
    return ENG_OK;
}

enum eng_status eng_pool_resolve(const struct eng_pool_attrs *attrs, const struct eng_shape *x,
                                 struct eng_window *out, struct eng_error *err)
{
    struct eng_window_attrs window = {.auto_pad = attrs->auto_pad,
                                      .ceil_mode = attrs->ceil_mode,
                                      .kernel_shape = attrs->kernel_shape,
                                      .strides = attrs->strides,
                                      .dilations = attrs->dilations,
                                      .pads = attrs->pads};
    enum eng_status status = eng_window_resolve(&window, x, out, err);
    return status == ENG_OK ? check_pads(out, err) : status;
}

static enum eng_status infer_window(struct eng_op_infer *q, struct eng_error *err)
{
    struct state *state = q->state;
    const struct eng_shape *x = &q->in[0]->shape;
    enum eng_status status = eng_pool_resolve(q->attrs, x, &state->window, err);
    if (status != ENG_OK) return status;
    state->n_planes = (size_t)(x->dim[0] * x->dim[1]);
    struct eng_shape y = eng_window_output(&state->window, x, x->dim[1]);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    eng_infer_output(q, 1, ENG_INT64, &y);
    return ENG_OK;
}

static size_t n_outputs(const struct state *state)
{
    return state->n_planes * eng_window_volume(state->window.out);
}

/* Taps that fall into padding are passed over. */
static double visits(const struct eng_op_infer *q)
{
    const struct state *state = q->state;
    double n = (double)n_outputs(state);
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        int64_t kernel = state->window.kernel[a], in = state->window.in[a];
        n *= (double)(kernel < in ? kernel : in);
    }
    return n;
}

/* --- MaxPool --- */

static enum eng_status max_pool_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_pool_attrs *attrs = q->attrs;
    enum eng_dtype dtype = q->in[0]->dtype;
    enum eng_status status = eng_infer_since(q, 8, q->n_out > 1, "output 1", err);
    if (status == ENG_OK) status = eng_infer_since(q, 10, attrs->ceil_mode, "ceil_mode", err);
    if (status == ENG_OK) status = eng_infer_since(q, 10, attrs->dilations.n > 0, "dilations", err);
    if (status != ENG_OK) return status;
    if (!eng_max_pool_takes(dtype))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; float, double, uint8 or int8 is wanted",
                        eng_dtype_name(dtype));
    status = infer_window(q, err);
    if (status != ENG_OK) return status;
    const struct state *state = q->state;
    bool wants_indices = q->n_out > 1 && q->out[1];
    size_t indices = n_outputs(state) * sizeof(int32_t);
    if (q->training && (wants_indices || !eng_max_pool_is_pairs(&state->window)))
        q->keep_bytes = indices;
    if (!q->training && wants_indices) q->scratch_bytes = indices;
    return ENG_OK;
}

/* From the index in its plane to the index in all of X. */
static void write_indices(const struct state *state, bool columns_first, const int32_t *in_plane,
                          int64_t *out)
{
    const int64_t *dim = state->window.in;
    int64_t n_in = (int64_t)eng_window_volume(dim);
    size_t n_out = eng_window_volume(state->window.out);
    for (size_t i = 0; i < n_outputs(state); i++) {
        int64_t at = in_plane[i];
        if (columns_first && at >= 0) {
            int64_t x = at % dim[2], y = at / dim[2] % dim[1], z = at / dim[2] / dim[1];
            at = z + dim[0] * (y + dim[1] * x);
        }
        out[i] = at < 0 ? -1 : (int64_t)(i / n_out) * n_in + at;
    }
}

/* In training. */
static bool keeps_indices(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    return (call->n_out > 1 && call->out[1]) || !eng_max_pool_is_pairs(&state->window);
}

static void max_pool_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_pool_attrs *attrs = call->attrs;
    struct eng_tensor *wanted = call->n_out > 1 ? call->out[1] : NULL;
    int32_t *indices = NULL;
    if (call->training)
        indices = keeps_indices(call) ? call->keep : NULL;
    else if (wanted)
        indices = call->scratch;
    eng_max_pool_forward(&state->window, state->n_planes, call->in[0]->dtype, call->in[0]->data,
                         call->out[0]->data, indices, call->pool);
    if (wanted) write_indices(state, attrs->storage_order, indices, wanted->data);
}

static void max_pool_backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    bool write = call->write_grad & 1;
    if (keeps_indices(call))
        eng_max_pool_backward(&state->window, state->n_planes, call->keep, dy, dx, write);
    else
        eng_max_pool_pairs_backward(&state->window, state->n_planes, call->in[0]->data,
                                    call->out[0]->data, dy, dx, write);
}

/* --- AveragePool --- */

static enum eng_status infer_floating(struct eng_op_infer *q, struct eng_error *err)
{
    if (q->in[0]->dtype != ENG_FLOAT64) {
        enum eng_status status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
        if (status != ENG_OK) return status;
    }
    return infer_window(q, err);
}

static enum eng_status average_pool_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_pool_attrs *attrs = q->attrs;
    enum eng_status status = eng_infer_since(q, 19, attrs->dilations.n > 0, "dilations", err);
    if (status == ENG_OK) status = eng_infer_since(q, 10, attrs->ceil_mode, "ceil_mode", err);
    return status == ENG_OK ? infer_floating(q, err) : status;
}

static void average_pool_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_pool_attrs *attrs = call->attrs;
    eng_average_pool_forward(&state->window, state->n_planes, attrs->count_include_pad,
                             call->in[0]->dtype, call->in[0]->data, call->out[0]->data, call->pool);
}

static void average_pool_backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_pool_attrs *attrs = call->attrs;
    if (call->grad_out[0] && call->grad_in[0])
        eng_average_pool_backward(&state->window, state->n_planes, attrs->count_include_pad,
                                  call->grad_out[0]->data, call->grad_in[0]->data);
}

/* --- LpPool --- */

static enum eng_status lp_pool_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_pool_attrs *attrs = q->attrs;
    enum eng_status status = eng_infer_since(q, 18, attrs->dilations.n > 0, "dilations", err);
    if (status == ENG_OK) status = eng_infer_since(q, 18, attrs->ceil_mode, "ceil_mode", err);
    return status == ENG_OK ? infer_floating(q, err) : status;
}

static void lp_pool_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_pool_attrs *attrs = call->attrs;
    eng_norm_pool_forward(&state->window, state->n_planes, (double)attrs->p, call->in[0]->dtype,
                          call->in[0]->data, call->out[0]->data, call->pool);
}

static void lp_pool_backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_pool_attrs *attrs = call->attrs;
    if (call->grad_out[0] && call->grad_in[0])
        eng_norm_pool_backward(&state->window, state->n_planes, (double)attrs->p, call->in[0]->data,
                               call->out[0]->data, call->grad_out[0]->data, call->grad_in[0]->data);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    eng_window_describe(&((const struct state *)call->state)->window, text, size);
}

#define POOL(onnx_name, id, outputs, ...)                                                     \
    const struct eng_op eng_op_##id = {.name = onnx_name,                                     \
                                       .domain = "",                                          \
                                       .opset_min = ENG_OPSET_MIN,                            \
                                       .opset_max = ENG_OPSET_MAX,                            \
                                       .in_min = 1,                                           \
                                       .in_max = 1,                                           \
                                       .out_min = 1,                                          \
                                       .out_max = outputs,                                    \
                                       .follow = eng_follow_rows,                             \
                                       .attrs = id##_fields,                                  \
                                       .n_attrs = sizeof id##_fields / sizeof id##_fields[0], \
                                       .attrs_bytes = sizeof(struct eng_pool_attrs),          \
                                       .state_bytes = sizeof(struct state),                   \
                                       .infer = id##_infer,                                   \
                                       .forward = id##_forward,                               \
                                       .backward = id##_backward,                             \
                                       .visits = visits,                                      \
                                       .describe = describe,                                  \
                                       __VA_ARGS__}

POOL("MaxPool", max_pool, 2, .writes_grad = 1);
POOL("AveragePool", average_pool, 1, .writes_grad = 0);
POOL("LpPool", lp_pool, 1, .writes_grad = 0);
