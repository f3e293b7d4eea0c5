/*
 * Y = scale (X - mean) / sqrt(variance + epsilon) + B, each channel for itself.
 *
 * Shapes: X [N, C, ..], all others [C].
 * Inference: mean and variance are inputs. Planned for training, or where the file says so
 * (training_mode since opset 14, extra outputs before), and not frozen: they are measured on X; the
 * running ones move towards them, running = momentum running + (1 - momentum) measured. Extra
 * outputs: running mean and variance; before opset 14 also the measured ones. Source: ONNX
 * BatchNormalization, versions 7, 9, 14, 15; Ioffe and Szegedy 2015.
 */
#include "kernels/batchnorm.h"

#include "base/error.h"
#include "ops/op.h"

#include <math.h>

enum { OPSET_TRAINING_MODE = 14, X = 0, SCALE, BIAS, MEAN, VARIANCE };

struct attrs {
    double epsilon, momentum;
    bool spatial, training_mode;
};

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct attrs, epsilon, 1e-5f, 0, 1e30, "added to the variance"),
    ENG_F_FLOAT(struct attrs, momentum, 0.9f, 0, 1, "share of the running values that stays"),
    ENG_F_BOOL(struct attrs, spatial, 1, "opset 7 only: one value per channel; 0 is refused"),
    ENG_F_BOOL(struct attrs, training_mode, 0, "measure mean and variance on X, since opset 14"),
};

struct state {
    struct eng_batchnorm bn;
    bool measures;
    bool updates; /* commit folds what was measured into the running values */
};

static bool wants_more_outputs(const struct eng_op_infer *q)
{
    for (size_t k = 1; k < q->n_out; k++)
        if (q->out[k]) return true;
    return false;
}

static enum eng_status check_mode(const struct eng_op_infer *q, bool *measures,
                                  struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    bool more = wants_more_outputs(q), old = q->opset < OPSET_TRAINING_MODE;
    if (!attrs->spatial)
        return eng_fail(err, ENG_UNSUPPORTED, "attribute 'spatial' is 0; 1 is wanted");
    if (!old && more && !attrs->training_mode)
        return eng_fail(err, ENG_FORMAT, "has %zu outputs, but training_mode is 0", q->n_out);
    if (!old && q->n_out > 3)
        return eng_fail(err, ENG_FORMAT, "has %zu outputs; at most 3 since opset 14", q->n_out);
    *measures = (q->training && !q->frozen) || (old ? more : attrs->training_mode);
    return ENG_OK;
}

static enum eng_status check_inputs(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_dtype(q, X, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, X, 2, ENG_MAX_RANK, err);
    struct eng_shape per_channel = {.rank = 1, .dim = {q->in[X]->shape.dim[1]}};
    for (size_t k = SCALE; status == ENG_OK && k <= VARIANCE; k++) {
        status = eng_infer_dtype(q, k, ENG_FLOAT32, err);
        if (status == ENG_OK) status = eng_infer_shape(q, k, &per_channel, err);
    }
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct state *state = q->state;
    enum eng_status status = check_inputs(q, err);
    if (status == ENG_OK) status = check_mode(q, &state->measures, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[X]->shape;
    state->bn = (struct eng_batchnorm){.n_images = (size_t)x->dim[0],
                                       .n_channels = (size_t)x->dim[1],
                                       .n_pixels = 1,
                                       .epsilon = (float)attrs->epsilon,
                                       .fixed = !state->measures};
    state->updates = q->training && !q->frozen;
    for (int i = 2; i < x->rank; i++)
        state->bn.n_pixels *= (size_t)x->dim[i];
    if (state->measures && state->bn.n_images * state->bn.n_pixels == 0)
        return eng_fail(err, ENG_FORMAT, "input 0 has no elements to measure");
    eng_infer_same(q);
    for (size_t k = 1; k < q->n_out; k++)
        eng_infer_output(q, k, ENG_FLOAT32, &q->in[MEAN]->shape);
    size_t measured_bytes = 2 * state->bn.n_channels * sizeof(float);
    if (q->training && state->measures)
        q->keep_bytes = measured_bytes;
    else if (state->measures)
        q->scratch_bytes = measured_bytes;
    return ENG_OK;
}

/* Where forward puts what it measures: mean [C], then variance [C]. */
static float *measured(const struct eng_op_call *call)
{
    return call->training ? call->keep : call->scratch;
}

static struct eng_batchnorm_channels channels(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_batchnorm_channels c = {.scale = call->in[SCALE]->data,
                                       .bias = call->in[BIAS]->data,
                                       .mean = call->in[MEAN]->data,
                                       .variance = call->in[VARIANCE]->data};
    if (state->measures) {
        c.mean = measured(call);
        c.variance = c.mean + state->bn.n_channels;
    }
    return c;
}

static void write_more_outputs(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    const struct state *state = call->state;
    float stay = (float)attrs->momentum;
    for (size_t k = 1; k < call->n_out; k++) {
        if (!call->out[k]) continue;
        size_t which = (k - 1) % 2; /* mean or variance */
        const float *now = measured(call) + which * state->bn.n_channels;
        const float *before = call->in[MEAN + which]->data;
        float *out = call->out[k]->data;
        for (size_t c = 0; c < state->bn.n_channels; c++)
            out[c] = k <= 2 ? before[c] * stay + now[c] * (1 - stay) : now[c];
    }
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (state->measures) {
        float *mean = measured(call);
        eng_batchnorm_measure(&state->bn, call->in[X]->data, mean, mean + state->bn.n_channels);
        write_more_outputs(call);
    }
    struct eng_batchnorm_channels c = channels(call);
    eng_batchnorm_forward(&state->bn, &c, call->in[X]->data, call->activation, call->out[0]->data,
                          call->pool);
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    return call->grad_in[k] ? call->grad_in[k]->data : NULL;
}

static void backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_batchnorm_channels c = channels(call);
    if (!call->grad_out[0]) return;
    struct eng_batchnorm_gradients gradients = {.x = call->in[X]->data,
                                                .dy = call->grad_out[0]->data,
                                                .dx = gradient(call, X),
                                                .dscale = gradient(call, SCALE),
                                                .dbias = gradient(call, BIAS),
                                                .write_dx = call->write_grad & 1u << X,
                                                .rectified = call->activation.kind == ENG_ACT_RELU};
    eng_batchnorm_backward(&state->bn, &c, &gradients);
}

static double samples(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    return (double)state->bn.n_images * (double)state->bn.n_pixels;
}

/* Mean and variance of one channel over all shards, as if they had been one batch. */
static void join(const struct eng_op_call *calls, size_t n_calls, size_t channel, double *mean,
                 double *variance)
{
    const struct state *state = calls[0].state;
    double n = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n_calls; i++) {
        n += samples(&calls[i]);
        sum += samples(&calls[i]) * (double)measured(&calls[i])[channel];
    }
    *mean = sum / n;
    for (size_t i = 0; i < n_calls; i++) {
        const float *values = measured(&calls[i]);
        double distance = (double)values[channel] - *mean;
        squares += samples(&calls[i]) *
                   ((double)values[state->bn.n_channels + channel] + distance * distance);
    }
    *variance = squares / n;
}

static void commit(const struct eng_op_call *calls, size_t n_calls)
{
    const struct attrs *attrs = calls[0].attrs;
    const struct state *state = calls[0].state;
    float *running_mean = calls[0].in[MEAN]->data, *running_variance = calls[0].in[VARIANCE]->data;
    double stay = attrs->momentum;
    if (!state->updates) return;
    for (size_t c = 0; c < state->bn.n_channels; c++) {
        double mean, variance;
        join(calls, n_calls, c, &mean, &variance);
        running_mean[c] = (float)(stay * (double)running_mean[c] + (1 - stay) * mean);
        running_variance[c] = (float)(stay * (double)running_variance[c] + (1 - stay) * variance);
    }
}

static bool channel_affine(const struct eng_op_infer *q, float *scale, float *shift, size_t n)
{
    const struct attrs *attrs = q->attrs;
    bool measures;
    if (check_mode(q, &measures, NULL) != ENG_OK || measures) return false;
    for (size_t k = SCALE; k <= VARIANCE; k++)
        if (!q->in[k]->data || q->in[k]->dtype != ENG_FLOAT32 ||
            eng_shape_count(&q->in[k]->shape) != (int64_t)n)
            return false;
    const float *gamma = q->in[SCALE]->data, *beta = q->in[BIAS]->data;
    const float *mean = q->in[MEAN]->data, *variance = q->in[VARIANCE]->data;
    for (size_t c = 0; c < n; c++) {
        scale[c] = gamma[c] / sqrtf(variance[c] + (float)attrs->epsilon);
        shift[c] = beta[c] - mean[c] * scale[c];
    }
    return true;
}

const struct eng_op eng_op_batchnorm = {
    .name = "BatchNormalization",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 5,
    .in_max = 5,
    .out_min = 1,
    .out_max = 5,
    .flags = ENG_OP_IN_PLACE | ENG_OP_FUSES_ACTIVATION | ENG_OP_TRAINS_RELU,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1 << X,
    .commit = commit,
    .channel_affine = channel_affine,
    .trainable_inputs = 1 << SCALE | 1 << BIAS,
};
