/*
 * Y = (X - mean) / sqrt(variance + epsilon) * scale + B, for each image and each channel
 * (InstanceNormalization) or group of neighbouring channels (GroupNormalization) by itself.
 *
 * Shapes: X and Y are [N, C, ..]; scale and B are [C], or in GroupNormalization before opset 21
 * [num_groups]. Source: ONNX InstanceNormalization 6; GroupNormalization 18, 21; Wu and He 2018.
 */
#include "kernels/standardise.h"

#include "base/error.h"
#include "ops/op.h"

enum { OPSET_GROUPS = 18, OPSET_SCALE_OF_CHANNELS = 21, X = 0, SCALE, BIAS };

struct instance {
    double epsilon;
};

static const struct eng_field instance_fields[] = {
    ENG_F_FLOAT(struct instance, epsilon, 1e-5f, 0, 1e30, "added to the variance"),
};

struct group {
    double epsilon;
    int64_t num_groups, stash_type;
};

static const struct eng_field group_fields[] = {
    ENG_F_FLOAT(struct group, epsilon, 1e-5f, 0, 1e30, "added to the variance"),
    ENG_F_INT(struct group, num_groups, 0, 0, INT32_MAX, "divides the channels; must be given"),
    ENG_F_INT(struct group, stash_type, 1, 0, INT32_MAX, "the type to compute in; float or better"),
};

static enum eng_status infer(struct eng_op_infer *q, int64_t n_groups, int64_t n_scales,
                             double epsilon, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[X]->shape;
    struct eng_shape scales = {.rank = 1, .dim = {n_scales}};
    enum eng_status status = ENG_OK;
    for (size_t k = SCALE; status == ENG_OK && k <= BIAS; k++) {
        status = eng_infer_dtype(q, k, q->in[X]->dtype, err);
        if (status == ENG_OK) status = eng_infer_shape(q, k, &scales, err);
    }
    if (status != ENG_OK) return status;
    size_t n_channels = (size_t)x->dim[1], n_pixels = eng_infer_product(x, 2, x->rank);
    struct eng_standardise s = {.n_rows = (size_t)x->dim[0] * (size_t)n_groups,
                                .n = n_groups > 0 ? n_channels / (size_t)n_groups * n_pixels : 0,
                                .n_scales = (size_t)n_scales,
                                .epsilon = epsilon};
    s.run = n_scales == n_groups ? s.n : n_pixels;
    *(struct eng_standardise *)q->state = s;
    size_t row_bytes = s.n_rows * sizeof(struct eng_standardise_row);
    if (q->training)
        q->keep_bytes = row_bytes;
    else
        q->scratch_bytes = row_bytes;
    eng_infer_same(q);
    return ENG_OK;
}

static enum eng_status check_x(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_real(q, X, err);
    return status == ENG_OK ? eng_infer_rank(q, X, 2, ENG_MAX_RANK, err) : status;
}

static enum eng_status instance_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct instance *attrs = q->attrs;
    enum eng_status status = check_x(q, err);
    if (status != ENG_OK) return status;
    int64_t n_channels = q->in[X]->shape.dim[1];
    return infer(q, n_channels, n_channels, attrs->epsilon, err);
}

static enum eng_status group_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct group *attrs = q->attrs;
    enum eng_status status = check_x(q, err);
    if (status != ENG_OK) return status;
    int64_t n_channels = q->in[X]->shape.dim[1], n_groups = attrs->num_groups;
    if (n_groups == 0 || n_channels % n_groups != 0)
        return eng_fail(
            err, ENG_FORMAT,
            "attribute 'num_groups' is %lld%s; a divisor of the %lld channels is wanted",
            (long long)n_groups, n_groups ? "" : " or missing", (long long)n_channels);
    return infer(q, n_groups, q->opset < OPSET_SCALE_OF_CHANNELS ? n_groups : n_channels,
                 attrs->epsilon, err);
}

static void forward(const struct eng_op_call *call)
{
    eng_standardise_forward(call->state, call->in[X]->dtype, call->in[X]->data,
                            call->in[SCALE]->data, call->in[BIAS]->data, call->out[0]->data,
                            call->training ? call->keep : call->scratch, call->pool);
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    return call->grad_in[k] ? call->grad_in[k]->data : NULL;
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    struct eng_standardise_gradients gradients = {.x = call->in[X]->data,
                                                  .scale = call->in[SCALE]->data,
                                                  .dy = call->grad_out[0]->data,
                                                  .rows = call->keep,
                                                  .dx = gradient(call, X),
                                                  .dscale = gradient(call, SCALE),
                                                  .dbias = gradient(call, BIAS),
                                                  .write_dx = call->write_grad & 1u << X};
    eng_standardise_backward(call->state, &gradients);
}

#define GROUP(onnx_name, id, attrs_id, first_opset)                      \
    const struct eng_op eng_op_##id = {                                  \
        .name = onnx_name,                                               \
        .domain = "",                                                    \
        .opset_min = first_opset,                                        \
        .opset_max = ENG_OPSET_MAX,                                      \
        .in_min = 3,                                                     \
        .in_max = 3,                                                     \
        .out_min = 1,                                                    \
        .out_max = 1,                                                    \
        .attrs = attrs_id##_fields,                                      \
        .n_attrs = sizeof attrs_id##_fields / sizeof *attrs_id##_fields, \
        .attrs_bytes = sizeof(struct attrs_id),                          \
        .state_bytes = sizeof(struct eng_standardise),                   \
        .infer = attrs_id##_infer,                                       \
        .follow = eng_follow_rows,                                       \
        .forward = forward,                                              \
        .backward = backward,                                            \
        .writes_grad = 1 << X,                                           \
        .trainable_inputs = 1 << SCALE | 1 << BIAS,                      \
    }

GROUP("InstanceNormalization", instance_normalization, instance, ENG_OPSET_MIN);
GROUP("GroupNormalization", group_normalization, group, OPSET_GROUPS);
