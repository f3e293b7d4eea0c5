/*
 * Y[n, k] = X[n, k % groups * (C / groups) + k / groups] for channels k of a range, as Reshape,
 * Transpose and Reshape do it, and Slice after them.
 *
 * Shapes: X [N, C, H, W] or two of [N, C / 2, H, W], Y [N, count, H, W]; or with channels last.
 * Source: ShuffleNet (Zhang et al. 2018).
 */
#include "ops/channel_shuffle.h"

#include "base/error.h"
#include "kernels/channel_shuffle.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_channel_shuffle_attrs *attrs = q->attrs;
    struct eng_channel_shuffle *s = q->state;
    int axis = attrs->last ? 3 : 1;
    enum eng_status status = eng_infer_rank(q, 0, 4, 4, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = q->in[0]->shape;
    if (q->n_in == 2) status = eng_infer_shape(q, 1, &y, err);
    if (status != ENG_OK) return status;
    size_t channels = (size_t)y.dim[axis] * q->n_in, groups = (size_t)attrs->groups;
    *s = (struct eng_channel_shuffle){.n_images = (size_t)y.dim[0],
                                      .n_pixels = attrs->last ? (size_t)(y.dim[1] * y.dim[2])
                                                              : (size_t)(y.dim[2] * y.dim[3]),
                                      .n_groups = groups,
                                      .per_group = channels / groups,
                                      .first = (size_t)attrs->first,
                                      .count = (size_t)attrs->count,
                                      .last = attrs->last,
                                      .n_parts = q->n_in};
    if (channels % groups != 0 || (size_t)(attrs->first + attrs->count) > channels)
        return eng_fail(err, ENG_FORMAT,
                        "%zu channels in %zu groups do not give channels %lld to %lld", channels,
                        groups, (long long)attrs->first, (long long)(attrs->first + attrs->count));
    y.dim[axis] = attrs->count;
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const float *x[ENG_SHUFFLE_MAX_PARTS];
    for (size_t k = 0; k < call->n_in; k++)
        x[k] = call->in[k]->data;
    eng_channel_shuffle(call->state, x, call->out[0]->data, call->pool);
}

const struct eng_op eng_op_channel_shuffle = {
    .name = "ChannelShuffle",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = ENG_SHUFFLE_MAX_PARTS,
    .out_min = 1,
    .out_max = 1,
    .attrs_bytes = sizeof(struct eng_channel_shuffle_attrs),
    .state_bytes = sizeof(struct eng_channel_shuffle),
    .infer = infer,
    .forward = forward,
};
