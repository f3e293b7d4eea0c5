/*
 * MatMulInteger: Y = (A - a_zero_point) (B - b_zero_point) in int32.
 * QLinearMatMul: the same product of quantised matrices, quantised again:
 *                y = saturate(round(sum * (a_scale b_scale / y_scale)) + y_zero_point).
 *
 * Shapes: as MatMul. Zero points and scales: one; or one for each row of A, [M], and each column of
 * B, [N]; or that for each matrix of a stack, [.., M, 1] and [.., 1, N]. Types: A and B uint8 or
 * int8. Source: ONNX MatMulInteger 10; QLinearMatMul 10, 21.
 */
#include "kernels/integer_product.h"
#include "kernels/quantise.h"

#include "base/error.h"
#include "base/mem.h"
#include "ops/matmul_shape.h"
#include "ops/op.h"

/* Which input is what. */
struct roles {
    size_t a, b, a_zero, b_zero;
};

static const struct roles plain = {.a = 0, .b = 1, .a_zero = 2, .b_zero = 3};

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO };

static const struct roles scaled = {.a = A, .b = B, .a_zero = A_ZERO, .b_zero = B_ZERO};

struct state {
    struct eng_integer_matmul product;
    size_t n_a_scales, n_b_scales;
    size_t sums_at, factors_at; /* in scratch: [m, n] and [n] */
};

/* How many parameters input k holds for the rows of A or the columns of B. */
static enum eng_status count_parameters(const struct eng_op_infer *q, size_t k, size_t of,
                                        bool is_rows, size_t *out, struct eng_error *err)
{
    *out = 0;
    if (k >= q->n_in || !q->in[k]) return ENG_OK;
    struct eng_shape wanted = q->in[of]->shape;
    const struct eng_shape *found = &q->in[k]->shape;
    int64_t count = eng_shape_count(found);
    *out = (size_t)count;
    if (count == 1) return ENG_OK;
    if (wanted.rank == 1) return eng_infer_count(q, k, 1, err);
    int line = wanted.rank - (is_rows ? 2 : 1);
    if (found->rank == 1 && found->dim[0] == wanted.dim[line]) return ENG_OK;
    wanted.dim[wanted.rank - (is_rows ? 1 : 2)] = 1;
    return eng_infer_shape(q, k, &wanted, err);
}

static enum eng_status resolve(const struct eng_op_infer *q, const struct roles *roles,
                               struct eng_integer_matmul *out, struct eng_shape *y,
                               struct eng_error *err)
{
    enum eng_status status = eng_infer_byte(q, roles->a, err);
    if (status == ENG_OK) status = eng_infer_byte(q, roles->b, err);
    if (status != ENG_OK) return status;
    out->a_dtype = q->in[roles->a]->dtype;
    out->b_dtype = q->in[roles->b]->dtype;
    status =
        eng_matmul_resolve(&q->in[roles->a]->shape, &q->in[roles->b]->shape, &out->shape, y, err);
    if (status == ENG_OK)
        status = count_parameters(q, roles->a_zero, roles->a, true, &out->n_a_zeros, err);
    if (status == ENG_OK)
        status = count_parameters(q, roles->b_zero, roles->b, false, &out->n_b_zeros, err);
    if (status == ENG_OK && out->n_a_zeros > 0)
        status = eng_infer_dtype(q, roles->a_zero, out->a_dtype, err);
    if (status == ENG_OK && out->n_b_zeros > 0)
        status = eng_infer_dtype(q, roles->b_zero, out->b_dtype, err);
    return status;
}

static enum eng_status fail_scratch(struct eng_error *err)
{
    return eng_fail(err, ENG_LIMIT, "the product needs more scratch memory than there is");
}

static enum eng_status plain_infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct state *state = q->state;
    struct eng_shape y;
    enum eng_status status = resolve(q, &plain, &state->product, &y, err);
    if (status != ENG_OK) return status;
    if (!eng_integer_matmul_scratch_bytes(&state->product, &q->scratch_bytes))
        return fail_scratch(err);
    eng_infer_output(q, 0, ENG_INT32, &y);
    return ENG_OK;
}

static enum eng_status check_scales(const struct eng_op_infer *q, struct state *state,
                                    struct eng_error *err)
{
    static const size_t scales[] = {A_SCALE, B_SCALE, Y_SCALE};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < 3; i++)
        status = eng_infer_dtype(q, scales[i], ENG_FLOAT32, err);
    if (status == ENG_OK) status = count_parameters(q, A_SCALE, A, true, &state->n_a_scales, err);
    if (status == ENG_OK) status = count_parameters(q, B_SCALE, B, false, &state->n_b_scales, err);
    if (status == ENG_OK) status = eng_infer_count(q, Y_SCALE, 1, err);
    if (status == ENG_OK) status = eng_infer_count(q, Y_ZERO, 1, err);
    return status == ENG_OK ? eng_infer_byte(q, Y_ZERO, err) : status;
}

static enum eng_status scaled_infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct state *state = q->state;
    struct eng_shape y;
    enum eng_status status = resolve(q, &scaled, &state->product, &y, err);
    if (status == ENG_OK) status = check_scales(q, state, err);
    if (status != ENG_OK) return status;
    size_t bytes, sums, m = state->product.shape.m, n = state->product.shape.n;
    if (!eng_integer_matmul_scratch_bytes(&state->product, &bytes) || bytes > SIZE_MAX / 4 ||
        !eng_mul_size(m + 1, n * sizeof(int32_t), &sums) || sums > SIZE_MAX / 4)
        return fail_scratch(err);
    state->sums_at = eng_align_up(bytes);
    state->factors_at = state->sums_at + m * n * sizeof(int32_t);
    q->scratch_bytes = state->sums_at + sums;
    eng_infer_output(q, 0, q->in[Y_ZERO]->dtype, &y);
    return ENG_OK;
}

static struct eng_integer_matmul_inputs inputs(const struct eng_op_call *call,
                                               const struct roles *roles)
{
    bool has_a = call->n_in > roles->a_zero && call->in[roles->a_zero];
    bool has_b = call->n_in > roles->b_zero && call->in[roles->b_zero];
    return (struct eng_integer_matmul_inputs){
        .a = call->in[roles->a]->data,
        .b = call->in[roles->b]->data,
        .a_zeros = has_a ? call->in[roles->a_zero]->data : NULL,
        .b_zeros = has_b ? call->in[roles->b_zero]->data : NULL};
}

static void plain_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_matmul *s = &state->product.shape;
    struct eng_integer_matmul_inputs in = inputs(call, &plain);
    int32_t *y = call->out[0]->data;
    for (size_t i = 0; i < s->batches.count; i++)
        eng_integer_matmul_run(&state->product, &in, i, y + i * s->m * s->n, call->scratch,
                               call->pool);
}

/* Quantises matrix i of the sums. */
static void requantise(const struct eng_op_call *call, size_t i, const int32_t *sums)
{
    const struct state *state = call->state;
    const struct eng_matmul *s = &state->product.shape;
    struct eng_broadcast_at at = eng_broadcast_at(&s->batches, i);
    const float *a_scale = call->in[A_SCALE]->data, *b_scale = call->in[B_SCALE]->data;
    float y_scale = *(const float *)call->in[Y_SCALE]->data;
    float *factors = (float *)(void *)((char *)call->scratch + state->factors_at);
    enum eng_dtype dtype = call->out[0]->dtype;
    int32_t zero = eng_integer_at(dtype, call->in[Y_ZERO]->data, 0);
    uint8_t *y = (uint8_t *)call->out[0]->data + i * s->m * s->n;
    bool each = state->n_b_scales > 1;
    for (size_t row = 0; row < s->m; row++, sums += s->n, y += s->n) {
        float left = a_scale[(at.a * s->m + row) % state->n_a_scales];
        for (size_t j = 0; j < (each ? s->n : 1); j++)
            factors[j] = left * b_scale[(at.b * s->n + j) % state->n_b_scales] / y_scale;
        eng_requantise(sums, factors, each, zero, dtype, y, s->n);
    }
}

static void scaled_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_integer_matmul_inputs in = inputs(call, &scaled);
    int32_t *sums = (int32_t *)(void *)((char *)call->scratch + state->sums_at);
    if (state->product.shape.n == 0) return;
    for (size_t i = 0; i < state->product.shape.batches.count; i++) {
        eng_integer_matmul_run(&state->product, &in, i, sums, call->scratch, call->pool);
        requantise(call, i, sums);
    }
}

static double flops(const struct eng_op_infer *q)
{
    return eng_matmul_flops(&((const struct state *)q->state)->product.shape);
}

#define PRODUCT(onnx_name, id, kind, inputs_min, inputs) \
    const struct eng_op eng_op_##id = {                  \
        .name = onnx_name,                               \
        .domain = "",                                    \
        .opset_min = 10,                                 \
        .opset_max = ENG_OPSET_MAX,                      \
        .in_min = inputs_min,                            \
        .in_max = inputs,                                \
        .out_min = 1,                                    \
        .out_max = 1,                                    \
        .state_bytes = sizeof(struct state),             \
        .infer = kind##_infer,                           \
        .follow = eng_follow_rows,                       \
        .forward = kind##_forward,                       \
        .flops = flops,                                  \
    }

PRODUCT("MatMulInteger", matmul_integer, plain, 2, 4);
PRODUCT("QLinearMatMul", qlinear_matmul, scaled, 8, 8);
