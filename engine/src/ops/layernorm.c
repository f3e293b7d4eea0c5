/*
 * Y = (X - mean) / sqrt(variance + epsilon) * Scale + B, over the axes from `axis` on.
 *
 * Shapes: Y has X's; Scale and B broadcast to it, usually [X's last dimensions]. Outputs Mean and
 * InvStdDev, if wanted, have 1 for the axes from `axis` on; they are float (stash_type 1).
 * Source: ONNX LayerNormalization 17; Ba, Kiros and Hinton 2016.
 */
#include "kernels/standardise.h"
#include "kernels/strided.h"

#include "base/error.h"
#include "ops/op.h"

#include <string.h>

enum { OPSET_FIRST = 17, STASH_FLOAT = 1, X = 0, SCALE, BIAS, N_IN };

struct attrs {
    int64_t axis, stash_type;
    double epsilon;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, -1, INT32_MIN, INT32_MAX, "the first axis to run over"),
    ENG_F_INT(struct attrs, stash_type, STASH_FLOAT, 0, INT32_MAX,
              "the type to compute in; float or better"),
    ENG_F_FLOAT(struct attrs, epsilon, 1e-5f, 0, 1e30, "added to the variance"),
};

/* Scale and B are brought to one value for each element of a row, or of X where they differ from
 * row to row. */
struct state {
    struct eng_standardise s;
    size_t n_scales;    /* n, or n_rows n */
    bool spreads[N_IN]; /* SCALE and BIAS: has another shape than that */
    struct eng_strided spread[N_IN];
    size_t element_bytes;
    size_t rows_bytes;
};

/* Whether an input has one value for all rows. */
static bool is_shared(const struct eng_shape *x, const struct eng_shape *side, int axis)
{
    for (int d = 0; d < side->rank; d++)
        if (x->rank - side->rank + d < axis && side->dim[d] != 1) return false;
    return true;
}

/* From the input's place to [x's dimensions from `first` on]. */
static struct eng_strided spread(const struct eng_shape *x, const struct eng_shape *side, int first)
{
    struct eng_strided walk = {.rank = x->rank - first};
    size_t from = 1, to = 1;
    for (int d = x->rank - 1; d >= first; d--) {
        int own = d - (x->rank - side->rank);
        size_t dim = own < 0 ? 1 : (size_t)side->dim[own];
        walk.dim[d - first] = (size_t)x->dim[d];
        walk.from[d - first] = dim == 1 ? 0 : from;
        walk.to[d - first] = to;
        from *= dim;
        to *= (size_t)x->dim[d];
    }
    eng_strided_join(&walk);
    return walk;
}

static const struct eng_tensor *input(const struct eng_tensor *const *in, size_t n_in, size_t k)
{
    return k < n_in ? in[k] : NULL;
}

static enum eng_status check_inputs(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_real(q, X, err);
    for (size_t k = SCALE; status == ENG_OK && k < N_IN; k++) {
        const struct eng_tensor *side = input(q->in, q->n_in, k);
        struct eng_shape both;
        if (!side) continue;
        status = eng_infer_dtype(q, k, q->in[X]->dtype, err);
        if (status == ENG_OK)
            status = eng_infer_broadcast(&q->in[X]->shape, &side->shape, &both, err);
        if (status == ENG_OK && !eng_shape_equal(&both, &q->in[X]->shape))
            status = eng_infer_shape(q, k, &q->in[X]->shape, err);
    }
    return status;
}

static void plan_scales(const struct eng_op_infer *q, int axis, struct state *state)
{
    const struct eng_shape *x = &q->in[X]->shape;
    int first = axis;
    for (size_t k = SCALE; k < N_IN; k++)
        if (input(q->in, q->n_in, k) && !is_shared(x, &q->in[k]->shape, axis)) first = 0;
    state->n_scales = eng_infer_product(x, first, x->rank);
    state->s.scale_row = first == axis ? 0 : state->s.n;
    for (size_t k = SCALE; k < N_IN; k++) {
        if (!input(q->in, q->n_in, k)) continue;
        int64_t count = eng_shape_count(&q->in[k]->shape);
        state->spreads[k] = (size_t)count != state->n_scales;
        if (state->spreads[k]) state->spread[k] = spread(x, &q->in[k]->shape, first);
    }
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[X]->shape;
    struct state *state = q->state;
    int axis;
    enum eng_status status = check_inputs(q, err);
    if (status == ENG_OK) status = eng_infer_axis(attrs->axis, x->rank, &axis, err);
    if (status != ENG_OK) return status;
    bool wants_rows = (q->n_out > 1 && q->out[1]) || (q->n_out > 2 && q->out[2]);
    if (wants_rows && attrs->stash_type != STASH_FLOAT)
        return eng_fail(
            err, ENG_UNSUPPORTED,
            "attribute 'stash_type' is %lld; 1 (float) is wanted for Mean and InvStdDev",
            (long long)attrs->stash_type);
    state->s = (struct eng_standardise){.n_rows = eng_infer_product(x, 0, axis),
                                        .n = eng_infer_product(x, axis, x->rank),
                                        .per_element = true,
                                        .epsilon = attrs->epsilon};
    if (state->s.n == 0 && state->s.n_rows > 0)
        return eng_fail(err, ENG_FORMAT, "input 0 has no elements to measure");
    plan_scales(q, axis, state);
    struct eng_shape rows = *x;
    for (int d = axis; d < x->rank; d++)
        rows.dim[d] = 1;
    eng_infer_same(q);
    eng_infer_output(q, 1, ENG_FLOAT32, &rows);
    eng_infer_output(q, 2, ENG_FLOAT32, &rows);
    state->element_bytes = eng_dtype_bytes(q->in[X]->dtype);
    state->rows_bytes = state->s.n_rows * sizeof(struct eng_standardise_row);
    q->scratch_bytes = state->rows_bytes;
    q->keep_bytes = q->training ? state->rows_bytes : 0;
    size_t n_spread = (size_t)(state->spreads[SCALE] + state->spreads[BIAS]);
    q->scratch_bytes += (q->training ? 2 : 1) * n_spread * state->n_scales * state->element_bytes;
    return ENG_OK;
}

static struct eng_standardise_row *rows_of(const struct eng_op_call *call)
{
    return call->training ? call->keep : call->scratch;
}

/* Room for Scale or B, or their gradient, as the kernel wants them. */
static void *room(const struct eng_op_call *call, size_t k, bool gradient)
{
    const struct state *state = call->state;
    size_t before = k == BIAS && state->spreads[SCALE];
    if (gradient) before += (size_t)(state->spreads[SCALE] + state->spreads[BIAS]);
    return (char *)call->scratch + state->rows_bytes +
           before * state->n_scales * state->element_bytes;
}

/* Scale or B as the kernel wants them; NULL if left out. */
static const void *prepared(const struct eng_op_call *call, size_t k)
{
    const struct state *state = call->state;
    const struct eng_tensor *side = input(call->in, call->n_in, k);
    if (!side) return NULL;
    if (!state->spreads[k]) return side->data;
    void *to = room(call, k, false);
    eng_strided_copy(&state->spread[k], side->dtype, side->data, to);
    return to;
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_tensor *x = call->in[X];
    struct eng_standardise_row *rows = rows_of(call);
    eng_standardise_forward(&state->s, x->dtype, x->data, prepared(call, SCALE),
                            prepared(call, BIAS), call->out[0]->data, rows, call->pool);
    for (size_t k = 1; k < call->n_out; k++) {
        if (!call->out[k]) continue;
        float *out = call->out[k]->data;
        for (size_t r = 0; r < state->s.n_rows; r++)
            out[r] = (float)(k == 1 ? rows[r].mean : rows[r].inverse);
    }
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    const struct state *state = call->state;
    if (k >= call->n_in || !call->grad_in[k]) return NULL;
    if (k == X || !state->spreads[k]) return call->grad_in[k]->data;
    return memset(room(call, k, true), 0, state->n_scales * sizeof(float));
}

static void backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (!call->grad_out[0]) return;
    struct eng_standardise_gradients gradients = {.x = call->in[X]->data,
                                                  .scale = prepared(call, SCALE),
                                                  .dy = call->grad_out[0]->data,
                                                  .rows = call->keep,
                                                  .dx = gradient(call, X),
                                                  .dscale = gradient(call, SCALE),
                                                  .dbias = gradient(call, BIAS),
                                                  .write_dx = call->write_grad & 1u << X};
    eng_standardise_backward(&state->s, &gradients);
    for (size_t k = SCALE; k < N_IN; k++) {
        if (k >= call->n_in || !call->grad_in[k] || !state->spreads[k]) continue;
        struct eng_strided back = eng_strided_reverse(&state->spread[k]);
        eng_strided_add(&back, ENG_FLOAT32, room(call, k, true), call->grad_in[k]->data);
    }
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct attrs *attrs = q->attrs;
    int rank = q->in[X]->shape.rank;
    int first = (int)attrs->axis < 0 ? (int)attrs->axis + rank : (int)attrs->axis;
    return k == X && axis < first ? axis : ENG_AXIS_MIXED;
}

const struct eng_op eng_op_layer_normalization = {
    .name = "LayerNormalization",
    .domain = "",
    .opset_min = OPSET_FIRST,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = N_IN,
    .out_min = 1,
    .out_max = 3,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .follow = follow,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1 << X,
    .trainable_inputs = 1 << SCALE | 1 << BIAS,
};
