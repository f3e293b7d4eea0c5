/*
 * Y = X as elements of another type: attribute 'to' (Cast), or the second input's (CastLike).
 *
 * Shapes: Y has X's. Gradient: dX = dY between floats.
 * Source: ONNX Cast 6, 9, 13, 19, 21, CastLike 15, 19, 21. float16 is held as float: a Cast to it
 * rounds. What ONNX leaves open: a number too large for an integer becomes the largest, NaN 0.
 */
#include "kernels/convert.h"

#include "base/error.h"
#include "base/share.h"
#include "ops/op.h"

#include <string.h>

struct attrs {
    int64_t to, saturate;
};

static const struct eng_field cast_fields[] = {
    ENG_F_INT(struct attrs, to, 0, 0, 1000, "element type, a number of TensorProto.DataType"),
    ENG_F_INT(struct attrs, saturate, 1, 0, 1, "for float8 types"),
};
static const struct eng_field cast_like_fields[] = {
    ENG_F_INT(struct attrs, saturate, 1, 0, 1, "for float8 types"),
};

struct state {
    bool to_half;
};

static enum eng_status set_output(struct eng_op_infer *q, enum eng_dtype to, struct eng_error *err)
{
    enum eng_dtype from = q->in[0]->dtype;
    if (!eng_converts(from, to))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "casts %s to %s; float, float16, double, bool and integers of 8 to 64 bits "
                        "are wanted",
                        eng_dtype_name(from), eng_dtype_name(to));
    eng_infer_output(q, 0, to, &q->in[0]->shape);
    return ENG_OK;
}

static enum eng_status cast_infer(struct eng_op_infer *q, struct eng_error *err)
{
    static const char *const refused[] = {
        [8] = "string", [14] = "complex64", [15] = "complex128", [16] = "bfloat16"};
    int64_t to = ((const struct attrs *)q->attrs)->to;
    bool is_refused = to >= 0 && (size_t)to < sizeof refused / sizeof *refused && refused[to];
    if (to < ENG_FLOAT32 || to > ENG_UINT64 || is_refused)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "attribute 'to' is %lld (%s); a number of TensorProto.DataType is wanted "
                        "that stands for float, float16, double, bool or an integer of 8 to 64 "
                        "bits",
                        (long long)to,
                        is_refused ? refused[to]
                        : to == 0  ? "undefined"
                                   : "unknown");
    struct state *state = q->state;
    state->to_half = to == ENG_FLOAT16;
    return set_output(q, state->to_half ? ENG_FLOAT32 : (enum eng_dtype)to, err);
}

static enum eng_status cast_like_infer(struct eng_op_infer *q, struct eng_error *err)
{
    return set_output(q, q->in[1]->dtype, err);
}

static void convert_range(void *ctx, size_t begin, size_t end)
{
    const struct eng_op_call *call = ctx;
    const struct state *state = call->state;
    const struct eng_tensor *x = call->in[0], *y = call->out[0];
    const char *from = (const char *)x->data + begin * eng_dtype_bytes(x->dtype);
    char *to = (char *)y->data + begin * eng_dtype_bytes(y->dtype);
    eng_convert(x->dtype, y->dtype, from, to, end - begin);
    if (state->to_half) eng_round_to_half((const float *)to, (float *)to, end - begin);
}

static void forward(const struct eng_op_call *call)
{
    struct eng_op_call copy = *call;
    size_t n_bytes = eng_dtype_bytes(call->in[0]->dtype) + eng_dtype_bytes(call->out[0]->dtype);
    eng_share(call->pool, (size_t)eng_shape_count(&call->out[0]->shape), 1, (double)n_bytes,
              convert_range, &copy);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0] || call->in[0]->dtype != ENG_FLOAT32) return;
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    for (size_t i = 0; i < n; i++)
        dx[i] = call->write_grad & 1 ? dy[i] : dx[i] + dy[i];
}

#define CAST(onnx_name, id, since, n_inputs, fields) \
    const struct eng_op eng_op_##id = {              \
        .name = onnx_name,                           \
        .domain = "",                                \
        .opset_min = since,                          \
        .opset_max = ENG_OPSET_MAX,                  \
        .in_min = n_inputs,                          \
        .in_max = n_inputs,                          \
        .out_min = 1,                                \
        .out_max = 1,                                \
        .follow = eng_follow_aligned,                \
        .attrs = fields,                             \
        .n_attrs = sizeof fields / sizeof fields[0], \
        .attrs_bytes = sizeof(struct attrs),         \
        .state_bytes = sizeof(struct state),         \
        .infer = id##_infer,                         \
        .forward = forward,                          \
        .backward = backward,                        \
        .writes_grad = 1,                            \
    }

CAST("Cast", cast, ENG_OPSET_MIN, 1, cast_fields);
CAST("CastLike", cast_like, 15, 2, cast_like_fields);
