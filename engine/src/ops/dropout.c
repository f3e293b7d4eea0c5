/*
 * Training: each element is 0 with probability `ratio`, else scaled by 1 / (1 - ratio), so that the
 * mean stays. Inference: Y = X.
 *
 * Outputs: Y, and a mask that says which elements were kept (all of them in inference).
 * Whether to drop is decided by what the graph is planned for. A file that asks for random answers
 * in inference (training_mode true, ratio above 0) is refused. Source: ONNX Dropout 7 and 10 (ratio
 * is an attribute), 12 and 13 (ratio and training_mode are inputs).
 */
#include "base/error.h"
#include "base/rng.h"
#include "ops/move.h"
#include "ops/op.h"

#include <string.h>

enum { OPSET_BOOL_MASK = 10, OPSET_RATIO_IS_INPUT = 12 };

struct attrs {
    double ratio;
    int64_t seed; /* read, not used: the trainer gives every step a seed of its own */
};

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct attrs, ratio, 0.5, 0, 1, "share of elements to drop, before opset 12"),
    ENG_F_INT(struct attrs, seed, 0, -9e18, 9e18, "ignored: each training step brings its own"),
};

struct state {
    float ratio; /* 0 in inference */
};

static bool drops(const struct eng_op_infer *q)
{
    return q->training && !q->steady;
}

static bool has(const struct eng_op_infer *q, size_t k)
{
    return q->n_in > k && q->in[k];
}

/* The ratio that the file gives, wherever it stands. */
static enum eng_status read_ratio(const struct eng_op_infer *q, float *out, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    *out = (float)attrs->ratio;
    if (q->opset >= OPSET_RATIO_IS_INPUT) *out = 0.5f;
    if (!has(q, 1)) return ENG_OK;
    if (q->opset < OPSET_RATIO_IS_INPUT)
        return eng_fail(err, ENG_FORMAT, "has %zu inputs; before opset 12 'ratio' is an attribute",
                        q->n_in);
    enum eng_status status = eng_infer_real(q, 1, err);
    if (!q->training && !q->in[1]->data) return status; /* nothing is dropped, whatever it is */
    if (status == ENG_OK) status = eng_infer_constant(q, 1, "ratio", q->in[1]->dtype, err);
    if (status == ENG_OK) status = eng_infer_count(q, 1, 1, err);
    if (status != ENG_OK) return status;
    const void *data = q->in[1]->data;
    *out = q->in[1]->dtype == ENG_FLOAT32 ? *(const float *)data : (float)*(const double *)data;
    return status;
}

/* Refuses what would make answers random. */
static enum eng_status check_mode(const struct eng_op_infer *q, float ratio, struct eng_error *err)
{
    if (!has(q, 2)) return ENG_OK;
    enum eng_status status = eng_infer_constant(q, 2, "training_mode", ENG_BOOL, err);
    if (status == ENG_OK) status = eng_infer_count(q, 2, 1, err);
    if (status != ENG_OK || drops(q) || ratio == 0 || !*(const uint8_t *)q->in[2]->data)
        return status;
    return eng_fail(err, ENG_UNSUPPORTED,
                    "training_mode is true with ratio %g, which would make answers random; export "
                    "the model for inference",
                    (double)ratio);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    float ratio;
    enum eng_status status = read_ratio(q, &ratio, err);
    if (status == ENG_OK) status = check_mode(q, ratio, err);
    if (status == ENG_OK) status = eng_infer_real(q, 0, err);
    if (status == ENG_OK && q->training) status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    eng_infer_same(q);
    if (!(ratio >= 0 && ratio < 1))
        return eng_fail(err, ENG_FORMAT, "ratio is %g; 0 or more and less than 1 is wanted",
                        (double)ratio);
    const struct eng_shape *shape = &q->in[0]->shape;
    eng_infer_output(q, 1, q->opset < OPSET_BOOL_MASK ? q->in[0]->dtype : ENG_BOOL, shape);
    struct state *state = q->state;
    state->ratio = drops(q) ? ratio : 0;
    if (q->training) q->keep_bytes = (size_t)eng_shape_count(shape);
    return ENG_OK;
}

static void write_mask(const struct eng_op_call *call, const uint8_t *kept, size_t n)
{
    struct eng_tensor *mask = call->n_out > 1 ? call->out[1] : NULL;
    for (size_t i = 0; mask && i < n; i++) {
        uint8_t bit = kept ? kept[i] : 1;
        if (mask->dtype == ENG_BOOL)
            ((uint8_t *)mask->data)[i] = bit;
        else if (mask->dtype == ENG_FLOAT64)
            ((double *)mask->data)[i] = bit;
        else
            ((float *)mask->data)[i] = bit;
    }
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    size_t n = (size_t)eng_shape_count(&call->in[0]->shape);
    uint8_t *kept = call->training ? call->keep : NULL;
    const float *x = call->in[0]->data;
    float *y = call->out[0]->data, scale = 1 / (1 - state->ratio);
    if (!kept) {
        eng_move_forward(call);
    } else {
        struct eng_rng rng;
        eng_rng_init(&rng, call->seed, 0);
        for (size_t i = 0; i < n; i++) {
            kept[i] = eng_rng_float(&rng) >= state->ratio;
            y[i] = kept[i] ? x[i] * scale : 0;
        }
    }
    write_mask(call, kept, n);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const struct state *state = call->state;
    const uint8_t *kept = call->keep;
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data, scale = 1 / (1 - state->ratio);
    size_t n = (size_t)eng_shape_count(&call->in[0]->shape);
    for (size_t i = 0; i < n; i++)
        dx[i] += kept[i] ? dy[i] * scale : 0;
}

const struct eng_op eng_op_dropout = {
    .name = "Dropout",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 3,
    .out_min = 1,
    .out_max = 2,
    .flags = ENG_OP_IN_PLACE | ENG_OP_NO_OP,
    .follow = eng_follow_aligned,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
