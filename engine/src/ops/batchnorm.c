/*
 * Y = scale (X - mean) / sqrt(variance + epsilon) + B, each channel for itself.
 *
 * Shapes: X [N, C, ..], all others [C]; X [N] counts as one channel; before opset 9, spatial 0
 * makes a channel of each element of an image, and all others [C, ..]. Types: float and double,
 * since opset 14 also mixed; trained in float only. Inference: mean and variance are inputs.
 * Planned for training, or where the file says so (training_mode since opset 14, extra outputs
 * before), and not frozen: they are measured on X; the running ones move towards them, running =
 * momentum running + (1 - momentum) measured. Extra outputs: running mean and variance; before
 * opset 14 also the measured ones. Source: ONNX BatchNormalization, versions 7, 9, 14, 15; Ioffe
 * and Szegedy 2015.
 */
#include "kernels/batchnorm.h"

#include "base/error.h"
#include "ops/op.h"

#include <math.h>

enum { OPSET_ALWAYS_SPATIAL = 9, OPSET_TRAINING_MODE = 14 };
enum { X = 0, SCALE, BIAS, MEAN, VARIANCE, N_IN };

struct attrs {
    double epsilon, momentum;
    bool spatial, training_mode;
};

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct attrs, epsilon, 1e-5f, 0, 1e30, "added to the variance"),
    ENG_F_FLOAT(struct attrs, momentum, 0.9f, 0, 1, "share of the running values that stays"),
    ENG_F_BOOL(struct attrs, spatial, 1, "one value per channel, not per element; to opset 8"),
    ENG_F_BOOL(struct attrs, training_mode, 0, "measure mean and variance on X, since opset 14"),
};

struct state {
    struct eng_batchnorm bn;
    enum eng_dtype dtype; /* X's */
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
    if (!attrs->spatial && q->opset >= OPSET_ALWAYS_SPATIAL)
        return eng_fail(err, ENG_FORMAT, "attribute 'spatial' is 0; since opset 9 it is always 1");
    if (!old && more && !attrs->training_mode)
        return eng_fail(err, ENG_FORMAT, "has %zu outputs, but training_mode is 0", q->n_out);
    if (old && q->n_out != 1 && q->n_out != 5)
        return eng_fail(err, ENG_FORMAT, "has %zu outputs; 1 or 5 are wanted before opset 14",
                        q->n_out);
    if (!old && q->n_out != 1 && q->n_out != 3)
        return eng_fail(err, ENG_FORMAT, "has %zu outputs; 1 or 3 are wanted since opset 14",
                        q->n_out);
    *measures = (q->training && !q->frozen) || (old ? more : attrs->training_mode);
    return ENG_OK;
}

static struct eng_shape parameter_shape(const struct eng_op_infer *q)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[X]->shape;
    struct eng_shape shape = {.rank = 1, .dim = {x->rank > 1 ? x->dim[1] : 1}};
    for (int d = 2; !attrs->spatial && d < x->rank; d++)
        shape.dim[shape.rank++] = x->dim[d];
    return shape;
}

static enum eng_status check_inputs(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_real(q, X, err);
    if (status == ENG_OK) status = eng_infer_rank(q, X, 1, ENG_MAX_RANK, err);
    if (status == ENG_OK && q->training) status = eng_infer_dtype(q, X, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    struct eng_shape shape = parameter_shape(q);
    bool mixes = q->opset >= OPSET_TRAINING_MODE && !q->training;
    for (size_t k = SCALE; status == ENG_OK && k < N_IN; k++) {
        status = mixes ? eng_infer_real(q, k, err) : eng_infer_dtype(q, k, q->in[X]->dtype, err);
        if (status == ENG_OK) status = eng_infer_shape(q, k, &shape, err);
    }
    if (status == ENG_OK && mixes) status = eng_infer_dtype(q, VARIANCE, q->in[MEAN]->dtype, err);
    return status;
}

/* What is measured, and the parameters in X's type, if they have another. */
static void want_memory(struct eng_op_infer *q, const struct state *state)
{
    size_t list_bytes = state->bn.n_channels * eng_dtype_bytes(state->dtype);
    bool converts = false;
    for (size_t k = SCALE; k < N_IN; k++)
        converts = converts || q->in[k]->dtype != state->dtype;
    if (q->training && state->measures)
        q->keep_bytes = 2 * list_bytes;
    else
        q->scratch_bytes = (converts ? N_IN + 1 : state->measures ? 2 : 0) * list_bytes;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct state *state = q->state;
    enum eng_status status = check_inputs(q, err);
    if (status == ENG_OK) status = check_mode(q, &state->measures, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[X]->shape;
    size_t n_pixels = eng_infer_product(x, 2, x->rank);
    state->dtype = q->in[X]->dtype;
    state->bn = (struct eng_batchnorm){.n_images = (size_t)x->dim[0],
                                       .n_channels = x->rank > 1 ? (size_t)x->dim[1] : 1,
                                       .n_pixels = attrs->spatial ? n_pixels : 1,
                                       .epsilon = attrs->epsilon,
                                       .fixed = !state->measures};
    if (!attrs->spatial) state->bn.n_channels *= n_pixels;
    state->updates = q->training && !q->frozen;
    if (state->measures && state->bn.n_images * state->bn.n_pixels == 0)
        return eng_fail(err, ENG_FORMAT, "input 0 has no elements to measure");
    eng_infer_same(q);
    for (size_t k = 1; k < q->n_out; k++)
        eng_infer_output(q, k, q->in[MEAN]->dtype, &q->in[MEAN]->shape);
    want_memory(q, state);
    return ENG_OK;
}

static double get(enum eng_dtype dtype, const void *list, size_t i)
{
    return dtype == ENG_FLOAT32 ? (double)((const float *)list)[i] : ((const double *)list)[i];
}

static void set(enum eng_dtype dtype, void *list, size_t i, double value)
{
    if (dtype == ENG_FLOAT32)
        ((float *)list)[i] = (float)value;
    else
        ((double *)list)[i] = value;
}

/* A list of one value per channel in X's type: number 0 and 1 are the measured mean and variance,
 * then room for the parameters. */
static void *list(const struct eng_op_call *call, size_t number)
{
    const struct state *state = call->state;
    char *lists = call->training ? call->keep : call->scratch;
    return lists + number * state->bn.n_channels * eng_dtype_bytes(state->dtype);
}

/* Input k in X's type. */
static const void *parameter(const struct eng_op_call *call, size_t k)
{
    const struct state *state = call->state;
    const struct eng_tensor *in = call->in[k];
    if (in->dtype == state->dtype) return in->data;
    void *converted = list(call, 1 + k);
    for (size_t c = 0; c < state->bn.n_channels; c++)
        set(state->dtype, converted, c, get(in->dtype, in->data, c));
    return converted;
}

static const void *mean_of(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    return state->measures ? list(call, 0) : parameter(call, MEAN);
}

static const void *variance_of(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    return state->measures ? list(call, 1) : parameter(call, VARIANCE);
}

static struct eng_batchnorm_channels channels(const struct eng_op_call *call)
{
    return (struct eng_batchnorm_channels){.scale = parameter(call, SCALE),
                                           .bias = parameter(call, BIAS),
                                           .mean = mean_of(call),
                                           .variance = variance_of(call)};
}

static void write_more_outputs(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    const struct state *state = call->state;
    double stay = attrs->momentum;
    for (size_t k = 1; k < call->n_out; k++) {
        const struct eng_tensor *out = call->out[k];
        if (!out) continue;
        size_t which = (k - 1) % 2; /* mean or variance */
        const struct eng_tensor *running = call->in[MEAN + which];
        for (size_t c = 0; c < state->bn.n_channels; c++) {
            double now = get(state->dtype, list(call, which), c);
            double before = get(running->dtype, running->data, c);
            set(out->dtype, out->data, c, k <= 2 ? before * stay + now * (1 - stay) : now);
        }
    }
}

static void forward_float(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const float *x = call->in[X]->data;
    if (state->measures) eng_batchnorm_measure(&state->bn, x, list(call, 0), list(call, 1));
    struct eng_batchnorm_channels c = channels(call);
    eng_batchnorm_forward(&state->bn, &c, x, call->activation, call->out[0]->data, call->pool);
}

static void forward_double(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const double *x = call->in[X]->data;
    if (state->measures) eng_batchnorm_measure_double(&state->bn, x, list(call, 0), list(call, 1));
    struct eng_batchnorm_channels_double c = {.scale = parameter(call, SCALE),
                                              .bias = parameter(call, BIAS),
                                              .mean = mean_of(call),
                                              .variance = variance_of(call)};
    eng_batchnorm_forward_double(&state->bn, &c, x, call->out[0]->data);
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (state->dtype == ENG_FLOAT64)
        forward_double(call);
    else
        forward_float(call);
    if (state->measures) write_more_outputs(call);
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
    double n = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n_calls; i++) {
        n += samples(&calls[i]);
        sum += samples(&calls[i]) * get(ENG_FLOAT32, list(&calls[i], 0), channel);
    }
    *mean = sum / n;
    for (size_t i = 0; i < n_calls; i++) {
        double distance = get(ENG_FLOAT32, list(&calls[i], 0), channel) - *mean;
        squares += samples(&calls[i]) *
                   (get(ENG_FLOAT32, list(&calls[i], 1), channel) + distance * distance);
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

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct state *state = q->state;
    return k > 0 || state->measures ? ENG_AXIS_MIXED : eng_follow_rows(q, k, axis);
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
    .follow = follow,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1 << X,
    .commit = commit,
    .channel_affine = channel_affine,
    .trainable_inputs = 1 << SCALE | 1 << BIAS,
};
