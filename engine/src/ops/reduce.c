/*
 * Y = a sum, mean, product, extreme or norm of X over some axes: the ten Reduce operators.
 *
 * Shapes: Y has X's, with 1 for each axis that is run over, or (keepdims 0) without it. The axes
 * are an attribute, or since opset 18 (ReduceSum: 13) input 1, constant; none given means all, or
 * (noop_with_empty_axes) that each element is a sum of its own: ReduceSum's Y is X, ReduceL1's |X|.
 * Gradient: as of the formula; of ReduceMax and ReduceMin, equal parts to all terms that tie, as
 * torch.amax has it. Source: ONNX Reduce*, versions 1, 11, 12, 13, 18, 20.
 */
#include "kernels/reduce.h"

#include "base/error.h"
#include "ops/op.h"

enum { OPSET_SUM_TAKES_AXES = 13, OPSET_ALL_TAKE_AXES = 18, AXES = 1 };

struct attrs {
    struct eng_ints axes;
    bool keepdims, noop_with_empty_axes;
};

static const struct eng_field fields[] = {
    ENG_F_INTS(struct attrs, axes, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "what to run over; then input"),
    ENG_F_BOOL(struct attrs, keepdims, 1, "those axes stay, with length 1"),
    ENG_F_BOOL(struct attrs, noop_with_empty_axes, 0, "no axes: none is run over, not all"),
};

static enum eng_status check_type(const struct eng_op_infer *q, enum eng_reduction what,
                                  struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    bool extreme = what == ENG_REDUCE_MAX || what == ENG_REDUCE_MIN;
    bool number = dtype != ENG_DTYPE_NONE && dtype != ENG_FLOAT16 && dtype != ENG_BOOL;
    if (number || (extreme && dtype == ENG_BOOL)) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; a number is wanted",
                    eng_dtype_name(dtype));
}

/* The axes as a list, from wherever this opset has them. */
static enum eng_status list_axes(const struct eng_op_infer *q, bool are_input, const int64_t **list,
                                 size_t *n, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_tensor *input = q->n_in > AXES ? q->in[AXES] : NULL;
    *list = attrs->axes.v;
    *n = (size_t)attrs->axes.n;
    if (!are_input && q->n_in > AXES)
        return eng_fail(err, ENG_FORMAT, "has %zu inputs; in opset %d the axes are an attribute",
                        q->n_in, q->opset);
    if (are_input && *n > 0)
        return eng_fail(err, ENG_FORMAT, "has attribute 'axes'; in opset %d they are input 1",
                        q->opset);
    if (!input) return ENG_OK;
    enum eng_status status = eng_infer_rank(q, AXES, 0, 1, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, AXES, ENG_INT64, err);
    *n = (size_t)eng_shape_count(&input->shape);
    if (status == ENG_OK && *n > 0) status = eng_infer_constant(q, AXES, "axes", ENG_INT64, err);
    *list = input->data;
    return status;
}

static struct eng_shape reduced_shape(const struct eng_shape *x, unsigned marked, bool keepdims)
{
    struct eng_shape y = {.rank = 0};
    for (int d = 0; d < x->rank; d++)
        if (!(marked >> d & 1))
            y.dim[y.rank++] = x->dim[d];
        else if (keepdims)
            y.dim[y.rank++] = 1;
    return y;
}

static enum eng_status infer(struct eng_op_infer *q, enum eng_reduction what, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    int first = what == ENG_REDUCE_SUM ? OPSET_SUM_TAKES_AXES : OPSET_ALL_TAKE_AXES;
    const int64_t *list;
    size_t n;
    unsigned marked;
    enum eng_status status = check_type(q, what, err);
    if (status == ENG_OK) status = list_axes(q, q->opset >= first, &list, &n, err);
    if (status == ENG_OK) status = eng_infer_axes(x, list, n, &marked, err);
    if (status != ENG_OK) return status;
    if (n == 0 && !attrs->noop_with_empty_axes) marked = (1u << x->rank) - 1;
    eng_axes_plan(x, marked, q->state);
    struct eng_shape y = reduced_shape(x, marked, attrs->keepdims);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call, enum eng_reduction what)
{
    const struct eng_tensor *x = call->in[0];
    eng_reduce_forward(call->state, what, x->dtype, x->data, call->out[0]->data, call->pool);
}

static void backward(const struct eng_op_call *call, enum eng_reduction what)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    struct eng_reduce_gradients gradients = {.x = call->in[0]->data,
                                             .y = call->out[0]->data,
                                             .dy = call->grad_out[0]->data,
                                             .dx = call->grad_in[0]->data,
                                             .write = call->write_grad & 1};
    eng_reduce_backward(call->state, what, &gradients, call->pool);
}

static double flops(const struct eng_op_infer *q)
{
    return (double)eng_shape_count(&q->in[0]->shape);
}

#define REDUCE(onnx_name, id, what)                                                  \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err) \
    {                                                                                \
        return infer(q, what, err);                                                  \
    }                                                                                \
    static void id##_forward(const struct eng_op_call *call)                         \
    {                                                                                \
        forward(call, what);                                                         \
    }                                                                                \
    static void id##_backward(const struct eng_op_call *call)                        \
    {                                                                                \
        backward(call, what);                                                        \
    }                                                                                \
    const struct eng_op eng_op_##id = {                                              \
        .name = onnx_name,                                                           \
        .domain = "",                                                                \
        .opset_min = ENG_OPSET_MIN,                                                  \
        .opset_max = ENG_OPSET_MAX,                                                  \
        .in_min = 1,                                                                 \
        .in_max = 2,                                                                 \
        .out_min = 1,                                                                \
        .out_max = 1,                                                                \
        .follow = eng_follow_left,                                                   \
        .attrs = fields,                                                             \
        .n_attrs = sizeof fields / sizeof fields[0],                                 \
        .attrs_bytes = sizeof(struct attrs),                                         \
        .state_bytes = sizeof(struct eng_axes),                                      \
        .infer = id##_infer,                                                         \
        .forward = id##_forward,                                                     \
        .backward = id##_backward,                                                   \
        .writes_grad = 1,                                                            \
        .flops = flops,                                                              \
    }

REDUCE("ReduceSum", reduce_sum, ENG_REDUCE_SUM);
REDUCE("ReduceMean", reduce_mean, ENG_REDUCE_MEAN);
REDUCE("ReduceProd", reduce_prod, ENG_REDUCE_PROD);
REDUCE("ReduceL1", reduce_l1, ENG_REDUCE_L1);
REDUCE("ReduceL2", reduce_l2, ENG_REDUCE_L2);
REDUCE("ReduceSumSquare", reduce_sum_square, ENG_REDUCE_SUM_SQUARE);
REDUCE("ReduceLogSum", reduce_log_sum, ENG_REDUCE_LOG_SUM);
REDUCE("ReduceLogSumExp", reduce_log_sum_exp, ENG_REDUCE_LOG_SUM_EXP);
REDUCE("ReduceMax", reduce_max, ENG_REDUCE_MAX);
REDUCE("ReduceMin", reduce_min, ENG_REDUCE_MIN);
