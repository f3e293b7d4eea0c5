/*
 * Y = alpha A' B' + beta C, where ' means transposed if asked for.
 *
 * Shapes: A' [M, K], B' [K, N], C broadcast to [M, N]; Y [M, N].
 * Types: float; doubles and integers of 32 and 64 bits too, which are not trained.
 * Source: ONNX Gemm, versions 7, 9, 11 (C may be left out), 13.
 */
#include "ops/gemm.h"

#include "kernels/gemm.h"
#include "kernels/gemm_typed.h"

#include "base/error.h"
#include "ops/op.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct eng_gemm_attrs, alpha, 1, -1e30, 1e30, "factor of the product"),
    ENG_F_FLOAT(struct eng_gemm_attrs, beta, 1, -1e30, 1e30, "factor of C"),
    ENG_F_BOOL(struct eng_gemm_attrs, transA, 0, "A is stored [K, M]"),
    ENG_F_BOOL(struct eng_gemm_attrs, transB, 0, "B is stored [N, K]"),
};

struct state {
    size_t m, n, k;
    size_t c_row, c_column; /* steps in C from one row or column of Y to the next; 0: broadcast */
};

static enum eng_status check_c(const struct eng_op_infer *q, struct state *state,
                               struct eng_error *err)
{
    if (q->n_in < 3 || !q->in[2]) return ENG_OK;
    enum eng_status status = eng_infer_dtype(q, 2, q->in[0]->dtype, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 2, 0, 2, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *c = &q->in[2]->shape, *y = &q->out[0]->shape;
    struct eng_shape both;
    status = eng_infer_broadcast(c, y, &both, err);
    if (status != ENG_OK) return status;
    if (!eng_shape_equal(&both, y)) return eng_infer_shape(q, 2, y, err);
    int64_t columns = c->rank > 0 ? c->dim[c->rank - 1] : 1;
    state->c_column = columns > 1;
    state->c_row = c->rank > 1 && c->dim[0] > 1 ? (size_t)columns : 0;
    return ENG_OK;
}

static bool is_whole(double factor)
{
    return factor == floor(factor) && fabs(factor) < 0x1p63;
}

static enum eng_status check_type(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_gemm_attrs *attrs = q->attrs;
    enum eng_dtype dtype = q->in[0]->dtype;
    if (dtype != ENG_FLOAT32 && !eng_gemm_typed_takes(dtype))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; a float or an integer of 32 or 64 bits is "
                        "wanted",
                        eng_dtype_name(dtype));
    bool is_float = dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
    if (!is_float && !(is_whole(attrs->alpha) && is_whole(attrs->beta)))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "alpha is %g and beta %g; of element type %s whole numbers are wanted",
                        attrs->alpha, attrs->beta, eng_dtype_name(dtype));
    return eng_infer_dtype(q, 1, dtype, err);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_gemm_attrs *attrs = q->attrs;
    struct state *state = q->state;
    enum eng_status status = check_type(q, err);
    for (size_t k = 0; status == ENG_OK && k < 2; k++)
        status = eng_infer_rank(q, k, 2, 2, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *a = &q->in[0]->shape, *b = &q->in[1]->shape;
    int64_t m = a->dim[attrs->transA], k = a->dim[!attrs->transA];
    int64_t k_of_b = b->dim[attrs->transB], n = b->dim[!attrs->transB];
    if (k != k_of_b) {
        char a_text[96], b_text[96];
        return eng_fail(err, ENG_FORMAT, "A %s%s and B %s%s do not fit: K is %lld and %lld",
                        eng_shape_format(a, a_text, sizeof a_text),
                        attrs->transA ? " transposed" : "",
                        eng_shape_format(b, b_text, sizeof b_text),
                        attrs->transB ? " transposed" : "", (long long)k, (long long)k_of_b);
    }
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return eng_fail(err, ENG_LIMIT, "a dimension lies above %d", INT_MAX);
    *state = (struct state){.m = (size_t)m, .n = (size_t)n, .k = (size_t)k};
    struct eng_shape y = {.rank = 2, .dim = {m, n}};
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    if (q->training && attrs->alpha != 1) q->scratch_bytes = (size_t)(m * n) * sizeof(float);
    return check_c(q, state, err);
}

static const void *bias(const struct eng_op_call *call)
{
    return call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
}

/* alpha and C in all their forms, after the product; most files need none of it. */
static void finish(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    const float *c = bias(call);
    float alpha = (float)attrs->alpha, beta = (float)attrs->beta, *y = call->out[0]->data;
    for (size_t i = 0; i < state->m; i++, y += state->n) {
        for (size_t j = 0; j < state->n; j++)
            y[j] = alpha * y[j] + (c ? beta * c[i * state->c_row + j * state->c_column] : 0);
        eng_activation_forward(call->activation, y, y, state->n);
    }
}

static struct eng_gemm product(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    return (struct eng_gemm){.trans_a = attrs->transA,
                             .trans_b = attrs->transB,
                             .m = state->m,
                             .n = state->n,
                             .k = state->k,
                             .a = call->in[0]->data,
                             .lda = attrs->transA ? state->m : state->k,
                             .b = call->in[1]->data,
                             .ldb = attrs->transB ? state->k : state->n,
                             .c = call->out[0]->data,
                             .ldc = state->n};
}

static void forward_typed(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    struct eng_gemm_typed gemm = {.m = state->m,
                                  .n = state->n,
                                  .k = state->k,
                                  .a = call->in[0]->data,
                                  .a_row = attrs->transA ? 1 : state->k,
                                  .a_column = attrs->transA ? state->m : 1,
                                  .b = call->in[1]->data,
                                  .b_row = attrs->transB ? 1 : state->n,
                                  .b_column = attrs->transB ? state->k : 1,
                                  .bias = bias(call),
                                  .bias_row = state->c_row,
                                  .bias_column = state->c_column,
                                  .alpha = attrs->alpha,
                                  .beta = attrs->beta,
                                  .y = call->out[0]->data};
    eng_gemm_typed_run(&gemm, call->in[0]->dtype);
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    if (call->in[0]->dtype != ENG_FLOAT32) {
        forward_typed(call);
        return;
    }
    struct eng_gemm gemm = product(call);
    bool is_plain =
        attrs->alpha == 1 &&
        (!bias(call) || (attrs->beta == 1 && state->c_row == 0 && state->c_column == 1));
    if (is_plain) {
        eng_gemm_run(&gemm, bias(call), call->activation, call->pool);
        return;
    }
    eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, call->pool);
    finish(call);
}

/* alpha dY, which is all that A and B see of the gradient. */
static const float *scaled_gradient(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    const float *dy = call->grad_out[0]->data;
    if (attrs->alpha == 1) return dy;
    float *scaled = call->scratch;
    for (size_t i = 0; i < state->m * state->n; i++)
        scaled[i] = (float)attrs->alpha * dy[i];
    return scaled;
}

/* dA' = dY B'^T, or +=; where A is stored transposed: dA = B' dY^T. */
static void backward_a(const struct eng_op_call *call, const float *dy)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    const float *b = call->in[1]->data;
    size_t ldb = attrs->transB ? state->k : state->n;
    struct eng_gemm gemm = {
        .accumulate = !(call->write_grad & 1), .c = call->grad_in[0]->data, .k = state->n};
    gemm.m = attrs->transA ? state->k : state->m;
    gemm.n = gemm.ldc = attrs->transA ? state->m : state->k;
    gemm.a = attrs->transA ? b : dy;
    gemm.lda = attrs->transA ? ldb : state->n;
    gemm.trans_a = attrs->transA && attrs->transB;
    gemm.b = attrs->transA ? dy : b;
    gemm.ldb = attrs->transA ? state->n : ldb;
    gemm.trans_b = attrs->transA || !attrs->transB;
    eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, call->pool);
}

/* dB' = A'^T dY, or +=; where B is stored transposed: dB = dY^T A'. */
static void backward_b(const struct eng_op_call *call, const float *dy)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    const float *a = call->in[0]->data;
    size_t lda = attrs->transA ? state->m : state->k;
    struct eng_gemm gemm = {
        .accumulate = !(call->write_grad & 2), .c = call->grad_in[1]->data, .k = state->m};
    gemm.m = attrs->transB ? state->n : state->k;
    gemm.n = gemm.ldc = attrs->transB ? state->k : state->n;
    gemm.a = attrs->transB ? dy : a;
    gemm.lda = attrs->transB ? state->n : lda;
    gemm.trans_a = attrs->transB || !attrs->transA;
    gemm.b = attrs->transB ? a : dy;
    gemm.ldb = attrs->transB ? lda : state->n;
    gemm.trans_b = attrs->transB && attrs->transA;
    eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, call->pool);
}

static void backward_c(const struct eng_op_call *call)
{
    const struct eng_gemm_attrs *attrs = call->attrs;
    const struct state *state = call->state;
    const float *dy = call->grad_out[0]->data;
    float *dc = call->grad_in[2]->data;
    for (size_t i = 0; i < state->m; i++)
        for (size_t j = 0; j < state->n; j++)
            dc[i * state->c_row + j * state->c_column] += (float)attrs->beta * dy[i * state->n + j];
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    const float *dy = scaled_gradient(call);
    if (call->grad_in[0]) backward_a(call, dy);
    if (call->grad_in[1]) backward_b(call, dy);
    if (call->n_in > 2 && call->grad_in[2]) backward_c(call);
}

/* Y's channels are its columns. */
static bool absorb_affine(const struct eng_op_infer *q, const float *scale, const float *shift,
                          size_t n, float *weight, float *bias)
{
    const struct eng_gemm_attrs *attrs = q->attrs;
    const struct eng_shape *b = &q->in[1]->shape;
    const struct eng_shape *c = q->n_in > 2 && q->in[2] ? &q->in[2]->shape : NULL;
    if (b->rank != 2 || b->dim[!attrs->transB] != (int64_t)n || attrs->beta != 1) return false;
    if (c && (c->rank == 0 || c->dim[c->rank - 1] != (int64_t)n)) return false;
    size_t k = (size_t)b->dim[attrs->transB];
    for (size_t j = 0; j < n; j++) {
        for (size_t i = 0; i < k; i++)
            weight[attrs->transB ? j * k + i : i * n + j] *= scale[j];
        bias[j] = bias[j] * scale[j] + shift[j];
    }
    return true;
}

static double flops(const struct eng_op_infer *q)
{
    const struct state *state = q->state;
    return 2.0 * (double)state->m * (double)state->n * (double)state->k;
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    struct eng_gemm gemm = product(call);
    bool is_float = call->in[0]->dtype == ENG_FLOAT32;
    snprintf(text, size, "%s", is_float ? eng_gemm_algorithm(&gemm) : "plain loops");
}

const struct eng_op eng_op_gemm = {
    .name = "Gemm",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_FUSES_ACTIVATION,
    .follow = eng_follow_rows,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct eng_gemm_attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 3,
    .absorb_affine = absorb_affine,
    .flops = flops,
    .describe = describe,
    .trainable_inputs = 6,
    .weight_inputs = 2,
};
