/*
 * Y = activation(X W + B + A), a product with weights packed at load.
 *
 * Shapes: X [.., K], W packed (kernels/linear.h), B [N] filled up, A and Y [.., N].
 * Source: ONNX Gemm and MatMul.
 */
#include "ops/linear.h"

#include "base/error.h"
#include "kernels/linear.h"

#include <limits.h>
#include <stdio.h>

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_linear_attrs *attrs = q->attrs;
    enum eng_status status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 1, ENG_MAX_RANK, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = q->in[0]->shape;
    int64_t *last = &y.dim[y.rank - 1];
    if (*last != attrs->depth)
        return eng_fail(err, ENG_FORMAT, "input 0 has %lld columns; the weights want %lld",
                        (long long)*last, (long long)attrs->depth);
    size_t n_rows = eng_infer_product(&y, 0, y.rank - 1);
    if (n_rows > INT_MAX) return eng_fail(err, ENG_LIMIT, "input 0 has more than %d rows", INT_MAX);
    *last = attrs->n_columns;
    if (q->n_in > 3 && q->in[3]) status = eng_infer_shape(q, 3, &y, err);
    if (status != ENG_OK) return status;
    *(struct eng_linear *)q->state = (struct eng_linear){.n_rows = n_rows,
                                                         .depth = (size_t)attrs->depth,
                                                         .n_columns = (size_t)attrs->n_columns,
                                                         .is_dots = attrs->is_dots,
                                                         .is_bf16 = attrs->is_bf16};
    if (!eng_linear_scratch_bytes(q->state, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the product needs more scratch memory than there is");
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static const float *optional(const struct eng_op_call *call, size_t k)
{
    return call->n_in > k && call->in[k] ? call->in[k]->data : NULL;
}

static void forward(const struct eng_op_call *call)
{
    struct eng_linear_call c = {.x = call->in[0]->data,
                                .packed = call->in[1]->data,
                                .bias = optional(call, 2),
                                .added = optional(call, 3),
                                .activation = call->activation,
                                .y = call->out[0]->data,
                                .scratch = call->scratch,
                                .pool = call->pool};
    eng_linear_forward(call->state, &c);
}

static double flops(const struct eng_op_infer *q)
{
    const struct eng_linear *linear = q->state;
    return 2.0 * (double)linear->n_rows * (double)linear->depth * (double)linear->n_columns;
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    const struct eng_linear *linear = call->state;
    snprintf(text, size, "%s",
             linear->is_bf16   ? "bf16 product"
             : linear->is_dots ? "packed dot products"
                               : "packed product");
}

const struct eng_op eng_op_linear = {
    .name = "Gemm",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 4,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_FUSES_ACTIVATION | ENG_OP_READS_ANYWHERE,
    .follow = eng_follow_rows,
    .attrs_bytes = sizeof(struct eng_linear_attrs),
    .state_bytes = sizeof(struct eng_linear),
    .infer = infer,
    .forward = forward,
    .flops = flops,
    .describe = describe,
};
