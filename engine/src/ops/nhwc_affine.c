/*
 * Y = activation(X * scale + shift) with channels last, also of several pictures whose channels
 * stand one after another: they are joined by being written where they belong.
 *
 * Shapes: X [N, D1, D2, C], or X1 .. Xn with C1 + .. + Cn = C; scale and shift [C]; Y [N, D1, D2,
 * C]. Source: ONNX BatchNormalization, Concat.
 */
#include "base/error.h"
#include "base/share.h"
#include "kernels/clamp.h"
#include "kernels/dispatch.h"
#include "ops/nhwc.h"

/* The last two inputs are scale and shift. */
static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    size_t n = q->n_in - 2;
    enum eng_status status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = q->in[0]->shape;
    for (size_t k = 1; status == ENG_OK && k < n; k++) {
        struct eng_shape wanted = q->in[0]->shape;
        status = eng_infer_rank(q, k, 4, 4, err);
        if (status != ENG_OK) return status;
        wanted.dim[3] = q->in[k]->shape.dim[3];
        status = eng_infer_shape(q, k, &wanted, err);
        if (status == ENG_OK && __builtin_add_overflow(y.dim[3], wanted.dim[3], &y.dim[3]))
            return eng_fail(err, ENG_LIMIT, "more channels than there can be");
    }
    for (size_t k = n; status == ENG_OK && k < n + 2; k++)
        status = eng_infer_count(q, k, y.dim[3], err);
    if (status == ENG_OK) status = eng_infer_fits(&y, err);
    if (status == ENG_OK) eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return status;
}

struct run {
    const struct eng_op_call *call;
    const struct eng_kernels *kernels;
    size_t n_channels;
    struct eng_clamp clamp;
};

static void run_pixels(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    size_t n = r->call->n_in - 2, channel = 0;
    const float *scale = r->call->in[n]->data, *shift = r->call->in[n + 1]->data;
    float *y = (float *)r->call->out[0]->data + begin * r->n_channels;
    for (size_t k = 0; k < n; k++) {
        size_t own = (size_t)r->call->in[k]->shape.dim[3];
        r->kernels->scale_shift(
            &(struct eng_scale_shift){.n_rows = end - begin,
                                      .n_channels = own,
                                      .x = (const float *)r->call->in[k]->data + begin * own,
                                      .scale = scale + channel,
                                      .shift = shift + channel,
                                      .y = y + channel,
                                      .x_row = own,
                                      .y_row = r->n_channels,
                                      .low = r->clamp.low,
                                      .high = r->clamp.high});
        channel += own;
    }
    if (!r->clamp.is_all)
        eng_activation_forward(r->call->activation, y, y, (end - begin) * r->n_channels);
}

/* Pixels by the few, so that what is written stays near until the last picture has come. */
static void run_chunks(void *ctx, size_t begin, size_t end)
{
    enum { PIXELS = 32 };
    for (; begin < end; begin += PIXELS)
        run_pixels(ctx, begin, end - begin < PIXELS ? end : begin + PIXELS);
}

static void forward(const struct eng_op_call *call)
{
    const int64_t *dim = call->out[0]->shape.dim;
    struct run r = {.call = call,
                    .kernels = eng_kernels(),
                    .n_channels = (size_t)dim[3],
                    .clamp = eng_clamp_for(call->activation)};
    eng_share(call->pool, (size_t)(dim[0] * dim[1] * dim[2]), 4 * (double)dim[3],
              8 * (double)dim[3], run_chunks, &r);
}

#define AFFINE(id, max, more)                                                          \
    const struct eng_op eng_op_nhwc_##id = {.name = "BatchNormalization",              \
                                            .domain = "",                              \
                                            .opset_min = ENG_OPSET_MIN,                \
                                            .opset_max = ENG_OPSET_MAX,                \
                                            .in_min = 3,                               \
                                            .in_max = (max),                           \
                                            .out_min = 1,                              \
                                            .out_max = 1,                              \
                                            .flags = ENG_OP_FUSES_ACTIVATION | (more), \
                                            .infer = infer,                            \
                                            .forward = forward}

AFFINE(affine, 3, ENG_OP_IN_PLACE);
AFFINE(joined_affine, ENG_OP_ANY_COUNT, 0);
