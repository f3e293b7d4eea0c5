/*
 * Values, Indices = the K largest or smallest elements of X along an axis, best first; of equal
 * ones the one with the lower index comes first. NaN counts as the largest.
 *
 * Shapes: as X's, with K along the axis; Indices are int64. K is an attribute before opset 10,
 * then input 1, constant. sorted 0 leaves the order open, so it is the same.
 * Gradient: dX = dValues where the elements came from. Source: ONNX TopK, versions 1, 10, 11.
 */
#include "kernels/topk.h"

#include "base/error.h"
#include "ops/op.h"

#include <string.h>

enum { OPSET_K_IS_INPUT = 10, OPSET_ORDER = 11, K_ABSENT = -1, K = 1 };

struct attrs {
    int64_t axis, k;
    bool largest, sorted;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, -1, INT32_MIN, INT32_MAX, "where to search"),
    ENG_F_INT(struct attrs, k, K_ABSENT, K_ABSENT, INT32_MAX, "how many, before opset 10"),
    ENG_F_BOOL(struct attrs, largest, 1, "the largest, else the smallest"),
    ENG_F_BOOL(struct attrs, sorted, 1, "best first; else in any order"),
};

static enum eng_status read_k(const struct eng_op_infer *q, int64_t *k, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_tensor *input = q->n_in > K ? q->in[K] : NULL;
    bool is_input = q->opset >= OPSET_K_IS_INPUT;
    if (is_input != (input != NULL) || is_input != (attrs->k == K_ABSENT))
        return eng_fail(err, ENG_FORMAT, "has %s input 1 and %s attribute 'k'; in opset %d K is %s",
                        input ? "an" : "no", attrs->k == K_ABSENT ? "no" : "an", q->opset,
                        is_input ? "input 1" : "the attribute");
    *k = attrs->k;
    if (!is_input) return ENG_OK;
    enum eng_status status = eng_infer_constant(q, K, "K", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_count(q, K, 1, err);
    if (status == ENG_OK) *k = *(const int64_t *)input->data;
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_shape y = q->in[0]->shape;
    enum eng_dtype dtype = q->in[0]->dtype;
    int axis;
    int64_t k = 0;
    if (dtype == ENG_BOOL || dtype == ENG_FLOAT16)
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; a number is wanted",
                        eng_dtype_name(dtype));
    enum eng_status status = eng_infer_since(q, OPSET_ORDER, !attrs->largest, "largest", err);
    if (status == ENG_OK) status = eng_infer_since(q, OPSET_ORDER, !attrs->sorted, "sorted", err);
    if (status == ENG_OK) status = eng_infer_axis(attrs->axis, y.rank, &axis, err);
    if (status == ENG_OK) status = read_k(q, &k, err);
    if (status != ENG_OK) return status;
    if (k < 0 || k > y.dim[axis])
        return eng_fail(err, ENG_FORMAT, "K is %lld; 0 to %lld, the length of axis %d, is wanted",
                        (long long)k, (long long)y.dim[axis], axis);
    *(struct eng_topk *)q->state =
        (struct eng_topk){.outer = eng_infer_product(&y, 0, axis),
                          .n = (size_t)y.dim[axis],
                          .inner = eng_infer_product(&y, axis + 1, y.rank),
                          .k = (size_t)k,
                          .smallest = !attrs->largest};
    y.dim[axis] = k;
    eng_infer_output(q, 0, dtype, &y);
    eng_infer_output(q, 1, ENG_INT64, &y);
    size_t index_bytes = (size_t)eng_shape_count(&y) * sizeof(int64_t);
    q->scratch_bytes = (size_t)k * sizeof(struct eng_topk_entry);
    if (q->training)
        q->keep_bytes = index_bytes;
    else
        q->scratch_bytes += index_bytes;
    return ENG_OK;
}

/* Backward needs them, and may not find them in output 1. */
static int64_t *indices_of(const struct eng_op_call *call)
{
    const struct eng_topk *state = call->state;
    if (call->training) return call->keep;
    return (int64_t *)((struct eng_topk_entry *)call->scratch + state->k);
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_topk *state = call->state;
    const struct eng_tensor *x = call->in[0];
    int64_t *indices = indices_of(call);
    eng_topk(state, x->dtype, x->data, call->out[0] ? call->out[0]->data : NULL, indices,
             call->scratch);
    if (call->n_out > 1 && call->out[1])
        memcpy(call->out[1]->data, indices, (size_t)eng_tensor_bytes(call->out[1]));
}

static void backward(const struct eng_op_call *call)
{
    const struct eng_topk *t = call->state;
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const int64_t *indices = indices_of(call);
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    for (size_t o = 0; o < t->outer; o++)
        for (size_t i = 0; i < t->k * t->inner; i++) {
            size_t from = o * t->k * t->inner + i;
            dx[(o * t->n + (size_t)indices[from]) * t->inner + i % t->inner] += dy[from];
        }
}

static double flops(const struct eng_op_infer *q)
{
    return (double)eng_shape_count(&q->in[0]->shape);
}

const struct eng_op eng_op_topk = {
    .name = "TopK",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 2,
    .out_min = 2,
    .out_max = 2,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_topk),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
