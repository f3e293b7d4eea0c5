/*
 * start, start + delta, start + 2 delta ... as long as `limit` is not reached: [n].
 *
 * n = max(ceil((limit - start) / delta), 0). The three inputs are scalars of one type (a vector of
 * one element is taken too) and known while planning, for they decide the output's shape. Source:
 * ONNX Range, version 11.
 */
#include "base/error.h"
#include "ops/op.h"

#include <math.h>

enum { START, LIMIT, DELTA, N_INPUTS };

static const char *const names[N_INPUTS] = {"start", "limit", "delta"};

static int64_t integer(const struct eng_tensor *t)
{
    return t->dtype == ENG_INT64   ? *(const int64_t *)t->data
           : t->dtype == ENG_INT32 ? *(const int32_t *)t->data
                                   : *(const int16_t *)t->data;
}

static double real(const struct eng_tensor *t)
{
    return t->dtype == ENG_FLOAT32 ? (double)*(const float *)t->data : *(const double *)t->data;
}

static bool is_real(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
}

/* Steps of integers; the difference of two int64 need not be one, but fits its unsigned type. */
static double count_integers(const struct eng_tensor *const *in)
{
    int64_t start = integer(in[START]), limit = integer(in[LIMIT]), delta = integer(in[DELTA]);
    if (delta > 0 ? start >= limit : start <= limit) return 0;
    uint64_t distance =
        delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
    uint64_t step = delta > 0 ? (uint64_t)delta : -(uint64_t)delta;
    return (double)(distance / step + (distance % step != 0));
}

static enum eng_status check_inputs(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[START]->dtype;
    if (!is_real(dtype) && dtype != ENG_INT16 && dtype != ENG_INT32 && dtype != ENG_INT64)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; float, double, int16, int32 or int64 is "
                        "wanted",
                        eng_dtype_name(dtype));
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && k < N_INPUTS; k++) {
        status = eng_infer_constant(q, k, names[k], dtype, err);
        if (status == ENG_OK) status = eng_infer_rank(q, k, 0, 1, err);
        if (status == ENG_OK) status = eng_infer_count(q, k, 1, err);
    }
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = check_inputs(q, err);
    if (status != ENG_OK) return status;
    bool reals = is_real(q->in[START]->dtype);
    if (reals ? real(q->in[DELTA]) == 0 : integer(q->in[DELTA]) == 0)
        return eng_fail(err, ENG_FORMAT, "delta is 0; another number is wanted");
    double n = reals ? ceil((real(q->in[LIMIT]) - real(q->in[START])) / real(q->in[DELTA]))
                     : count_integers(q->in);
    if (!(n <= 0x1p40)) /* nor NaN */
        return eng_fail(err, ENG_LIMIT, "would give %g numbers; at most 2^40 are wanted", n);
    struct eng_shape y = {.rank = 1, .dim = {n > 0 ? (int64_t)n : 0}};
    eng_infer_output(q, 0, q->in[START]->dtype, &y);
    return ENG_OK;
}

/* Integers wrap round as unsigned ones do: no element lies beyond the limit. */
#define FILL(T, U)                                        \
    do {                                                  \
        T *y = call->out[0]->data;                        \
        U start = (U) * (const T *)call->in[START]->data; \
        U delta = (U) * (const T *)call->in[DELTA]->data; \
        for (int64_t i = 0; i < n; i++)                   \
            y[i] = (T)(U)(start + (U)i * delta);          \
    } while (0)

static void forward(const struct eng_op_call *call)
{
    int64_t n = call->out[0]->shape.dim[0];
    switch (call->out[0]->dtype) {
    case ENG_FLOAT32:
        FILL(float, float);
        break;
    case ENG_FLOAT64:
        FILL(double, double);
        break;
    case ENG_INT16:
        FILL(int16_t, uint32_t);
        break;
    case ENG_INT32:
        FILL(int32_t, uint32_t);
        break;
    default:
        FILL(int64_t, uint64_t);
    }
}

const struct eng_op eng_op_range = {
    .name = "Range",
    .domain = "",
    .opset_min = 11,
    .opset_max = ENG_OPSET_MAX,
    .in_min = N_INPUTS,
    .in_max = N_INPUTS,
    .out_min = 1,
    .out_max = 1,
    .infer = infer,
    .forward = forward,
};
