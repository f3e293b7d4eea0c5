/*
 * X cut along an axis into the outputs, one after another; of any type.
 *
 * How long the parts are: attribute `split` up to opset 12, then input 1, whose values must be
 * known while planning. Without it all are equally long; from opset 18 on, where `num_outputs` says
 * how many there are, the last may be shorter: ceil(length / num_outputs) for each but that one.
 * Gradient: part k of dX is dY k. Source: ONNX Split, versions 2, 11, 13, 18.
 */
#include "base/error.h"
#include "ops/attrs.h"
#include "ops/move.h"

enum { SIZES_ARE_INPUT = 13, HAS_NUM_OUTPUTS = 18 };

struct attrs {
    int64_t axis, num_outputs;    /* num_outputs 0: not given */
    const struct eng_attr *split; /* may be longer than ENG_MAX_INTS */
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, 0, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "the dimension to cut"),
    ENG_F_INT(struct attrs, num_outputs, 0, 1, ENG_OP_ANY_COUNT, "parts; from opset 18 on"),
    ENG_F_ATTR(struct attrs, split, "up to opset 12: the parts' lengths"),
};

/* Everything that says how long the parts are. */
struct parts {
    const struct eng_attr *attribute; /* or NULL */
    const struct eng_tensor *input;   /* or NULL */
    int64_t n, length;                /* how many parts; of the whole */
};

static struct parts parts_of(const struct attrs *attrs, const struct eng_tensor *const *in,
                             size_t n_in, size_t n_out, int axis)
{
    return (struct parts){.attribute = attrs->split,
                          .input = n_in > 1 ? in[1] : NULL,
                          .n = (int64_t)n_out,
                          .length = in[0]->shape.dim[axis]};
}

static int64_t length_of(const struct parts *parts, size_t k)
{
    if (parts->attribute) return parts->attribute->ints[k];
    if (parts->input) return eng_int_at(parts->input, k);
    int64_t size = parts->length / parts->n + (parts->length % parts->n != 0);
    return (int64_t)k < parts->n - 1 ? size : parts->length - size * (parts->n - 1);
}

static enum eng_status check_attribute(const struct eng_op_infer *q, const struct eng_attr *split,
                                       struct eng_error *err)
{
    if (q->opset >= SIZES_ARE_INPUT)
        return eng_fail(err, ENG_FORMAT, "in opset %d the sizes are input 1, not attribute 'split'",
                        q->opset);
    if (split->type != ENG_ATTR_INTS)
        return eng_fail(err, ENG_ARGUMENT, "attribute 'split' is no list of ints");
    if (split->n == q->n_out) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "attribute 'split' has %zu numbers; the node has %zu outputs",
                    split->n, q->n_out);
}

static enum eng_status check_input(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_since(q, SIZES_ARE_INPUT, true, "input 1 (split)", err);
    if (status == ENG_OK) status = eng_infer_constant(q, 1, "split", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 1, 1, 1, err);
    if (status == ENG_OK) status = eng_infer_count(q, 1, (int64_t)q->n_out, err);
    return status;
}

static enum eng_status check_number(const struct eng_op_infer *q, const struct parts *parts,
                                    int64_t num_outputs, struct eng_error *err)
{
    enum eng_status status =
        eng_infer_since(q, HAS_NUM_OUTPUTS, num_outputs > 0, "num_outputs", err);
    if (status != ENG_OK) return status;
    bool has_sizes = parts->attribute || parts->input;
    if (q->opset >= HAS_NUM_OUTPUTS && has_sizes == (num_outputs > 0))
        return eng_fail(err, ENG_FORMAT, "has %s; either input 1 (split) or num_outputs is wanted",
                        has_sizes ? "both input 1 (split) and num_outputs" : "neither");
    if (num_outputs > 0 && num_outputs != parts->n)
        return eng_fail(err, ENG_FORMAT, "num_outputs is %lld; the node has %lld outputs",
                        (long long)num_outputs, (long long)parts->n);
    if (!has_sizes && q->opset < HAS_NUM_OUTPUTS && parts->length % parts->n != 0)
        return eng_fail(err, ENG_FORMAT, "length %lld does not split into %lld equal parts",
                        (long long)parts->length, (long long)parts->n);
    return ENG_OK;
}

static enum eng_status set_outputs(struct eng_op_infer *q, int axis, const struct parts *parts,
                                   struct eng_error *err)
{
    struct eng_shape y = q->in[0]->shape;
    int64_t rest = parts->length;
    for (size_t k = 0; k < q->n_out; k++) {
        y.dim[axis] = length_of(parts, k);
        if (y.dim[axis] < 0 || y.dim[axis] > rest)
            return eng_fail(err, ENG_FORMAT,
                            "part %zu would be %lld long, where %lld of the %lld along axis %d are "
                            "left",
                            k, (long long)y.dim[axis], (long long)rest, (long long)parts->length,
                            axis);
        rest -= y.dim[axis];
        eng_infer_output(q, k, q->in[0]->dtype, &y);
    }
    if (rest == 0) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "the parts leave %lld of the %lld along axis %d, wanted none",
                    (long long)rest, (long long)parts->length, axis);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    int *axis = q->state;
    enum eng_status status = eng_infer_axis(attrs->axis, q->in[0]->shape.rank, axis, err);
    if (status != ENG_OK) return status;
    struct parts parts = parts_of(attrs, q->in, q->n_in, q->n_out, *axis);
    if (parts.attribute) status = check_attribute(q, parts.attribute, err);
    if (status == ENG_OK && parts.input) status = check_input(q, err);
    if (status == ENG_OK) status = check_number(q, &parts, attrs->num_outputs, err);
    if (status == ENG_OK) status = set_outputs(q, *axis, &parts, err);
    return status;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    int axis = *(const int *)call->state;
    struct parts parts = parts_of(call->attrs, call->in, call->n_in, call->n_out, axis);
    int64_t start = 0;
    for (size_t k = 0; k < call->n_out; start += length_of(&parts, k++)) {
        if (!call->out[k]) continue;
        struct eng_box box = eng_move_part(&x->shape, axis, start, length_of(&parts, k));
        eng_box_copy(&box, x->dtype, x->data, call->out[k]->data, call->pool);
    }
}

static void backward(const struct eng_op_call *call)
{
    if (!eng_move_has_gradient(call, 0)) return;
    int axis = *(const int *)call->state;
    struct parts parts = parts_of(call->attrs, call->in, call->n_in, call->n_out, axis);
    int64_t start = 0;
    for (size_t k = 0; k < call->n_out; start += length_of(&parts, k++)) {
        if (!call->grad_out[k]) continue;
        struct eng_box box = eng_move_part(&call->in[0]->shape, axis, start, length_of(&parts, k));
        struct eng_box back = eng_box_back(&box);
        eng_move_gradient(call, 0, &back, call->grad_out[k]);
    }
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    return k > 0 || axis == *(const int *)q->state ? ENG_AXIS_MIXED : axis;
}

const struct eng_op eng_op_split = {
    .name = "Split",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 2,
    .out_min = 1,
    .out_max = ENG_OP_ANY_COUNT,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(int),
    .infer = infer,
    .follow = follow,
    .forward = forward,
    .backward = backward,
};
