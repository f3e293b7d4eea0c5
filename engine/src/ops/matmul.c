/*
 * Y = A B as numpy.matmul: the last two dimensions are multiplied, those before broadcast.
 *
 * Shapes: A [.., M, K], B [.., K, N]; Y [.., M, N]. A of rank 1 is a row, B of rank 1 a column; the
 * dimension that this adds is dropped from Y.
 * Source: ONNX MatMul, versions 1, 9, 13.
 */
#include "kernels/broadcast.h"
#include "kernels/gemm.h"

#include "base/error.h"
#include "ops/op.h"

#include <limits.h>
#include <string.h>

struct state {
    size_t m, n, k;
    struct eng_broadcast batches; /* steps are in matrices */
};

/* The matrix dimensions of one side and what is left. */
struct side {
    int64_t rows, columns;
    struct eng_shape batch;
};

static struct side split(const struct eng_shape *shape, bool is_left)
{
    if (shape->rank == 1)
        return (struct side){.rows = is_left ? 1 : shape->dim[0],
                             .columns = is_left ? shape->dim[0] : 1};
    struct side side = {.rows = shape->dim[shape->rank - 2],
                        .columns = shape->dim[shape->rank - 1],
                        .batch = *shape};
    side.batch.rank -= 2;
    return side;
}

/* One B for all of A's matrices: they are one tall matrix. */
static void join_rows(struct state *state)
{
    static const struct eng_shape one = {0};
    state->m *= state->batches.count;
    eng_broadcast_plan(&one, &one, &one, &state->batches);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    for (size_t i = 0; i < 2; i++) {
        enum eng_status status = eng_infer_dtype(q, i, ENG_FLOAT32, err);
        if (status == ENG_OK) status = eng_infer_rank(q, i, 1, ENG_MAX_RANK, err);
        if (status != ENG_OK) return status;
    }
    const struct eng_shape *a = &q->in[0]->shape, *b = &q->in[1]->shape;
    struct side left = split(a, true), right = split(b, false);
    if (left.columns != right.rows) {
        char a_text[96], b_text[96];
        return eng_fail(err, ENG_FORMAT, "A %s and B %s do not fit: K is %lld and %lld",
                        eng_shape_format(a, a_text, sizeof a_text),
                        eng_shape_format(b, b_text, sizeof b_text), (long long)left.columns,
                        (long long)right.rows);
    }
    int64_t n_left = eng_shape_count(a); /* bounds the rows once the batches are joined */
    if (n_left > INT_MAX || left.rows > INT_MAX || right.rows > INT_MAX || right.columns > INT_MAX)
        return eng_fail(err, ENG_LIMIT, "A's elements or a dimension exceed %d", INT_MAX);
    struct eng_shape y;
    enum eng_status status = eng_infer_broadcast(&left.batch, &right.batch, &y, err);
    if (status != ENG_OK) return status;
    struct state *state = q->state;
    *state = (struct state){
        .m = (size_t)left.rows, .n = (size_t)right.columns, .k = (size_t)left.columns};
    eng_broadcast_plan(&left.batch, &right.batch, &y, &state->batches);
    if (right.batch.rank == 0) join_rows(state);
    if (a->rank > 1) y.dim[y.rank++] = left.rows;
    if (b->rank > 1) y.dim[y.rank++] = right.columns;
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct state *s = call->state;
    const float *a = call->in[0]->data, *b = call->in[1]->data;
    float *y = call->out[0]->data;
    struct eng_gemm gemm = {.m = s->m, .n = s->n, .k = s->k, .lda = s->k, .ldb = s->n, .ldc = s->n};
    for (size_t i = 0; i < s->batches.count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
        gemm.a = a + at.a * s->m * s->k;
        gemm.b = b + at.b * s->k * s->n;
        gemm.c = y + i * s->m * s->n;
        eng_gemm_run(&gemm, NULL, call->activation, call->pool);
    }
}

/* A gradient that is to be written: by the product itself if there is one, else zeroed to be added
 * to. Returns whether the product adds. */
static bool begin_gradient(const struct eng_op_call *call, size_t k)
{
    const struct state *s = call->state;
    if (!(call->write_grad >> k & 1)) return true;
    if (s->batches.count == 1) return false;
    memset(call->grad_in[k]->data, 0, (size_t)eng_tensor_bytes(call->grad_in[k]));
    return true;
}

/* dA = dY B^T, dB = A^T dY, or +=; a matrix that was broadcast collects from all its uses. */
static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    const struct state *s = call->state;
    const float *a = call->in[0]->data, *b = call->in[1]->data, *dy = call->grad_out[0]->data;
    float *da = call->grad_in[0] ? call->grad_in[0]->data : NULL;
    float *db = call->grad_in[1] ? call->grad_in[1]->data : NULL;
    struct eng_gemm for_a = {.trans_b = true, .m = s->m, .n = s->k, .k = s->n};
    struct eng_gemm for_b = {.trans_a = true, .m = s->k, .n = s->n, .k = s->m};
    for_a.lda = for_a.ldb = for_b.ldb = for_b.ldc = s->n;
    for_a.ldc = for_b.lda = s->k;
    for_a.accumulate = begin_gradient(call, 0);
    for_b.accumulate = begin_gradient(call, 1);
    for (size_t i = 0; i < s->batches.count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
        for_a.a = for_b.b = dy + i * s->m * s->n;
        for_a.b = b + at.b * s->k * s->n;
        for_b.a = a + at.a * s->m * s->k;
        if (da) {
            for_a.c = da + at.a * s->m * s->k;
            eng_gemm_run(&for_a, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, call->pool);
        }
        if (db) {
            for_b.c = db + at.b * s->k * s->n;
            eng_gemm_run(&for_b, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, call->pool);
        }
    }
}

static double flops(const struct eng_op_infer *q)
{
    const struct state *s = q->state;
    return 2.0 * (double)s->batches.count * (double)s->m * (double)s->n * (double)s->k;
}

const struct eng_op eng_op_matmul = {
    .name = "MatMul",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_FUSES_ACTIVATION,
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 3,
    .flops = flops,
    .trainable_inputs = 3,
    .weight_inputs = 3,
};
