/*
 * QuantizeLinear:   y = saturate(round(x / y_scale) + y_zero_point), halves rounded to even.
 * DequantizeLinear: y = (x - x_zero_point) * x_scale.
 * DynamicQuantizeLinear: the same with a scale and a zero point that fit all of x, 0 included.
 *
 * Shapes: x and y alike. Scale and zero point are scalars, or [n] for the n indices along `axis`
 * (opset 13), or, in blocks of block_size along it, of x's rank (opset 21). Types: 8 bits, 16 bits
 * (opset 21), and int32 to dequantise; those of 4 bits and float8 are not there.
 * Source: ONNX QuantizeLinear and DequantizeLinear 10, 13, 19, 21; DynamicQuantizeLinear 11.
 */
#include "kernels/quantise.h"

#include "base/error.h"
#include "ops/op.h"

#include <math.h>

struct attrs {
    int64_t axis, block_size, output_dtype;
    bool saturate;
};

#define SHARED_FIELDS                                                 \
    ENG_F_INT(struct attrs, axis, 1, -ENG_MAX_RANK, ENG_MAX_RANK - 1, \
              "the dimension along which scales differ"),             \
        ENG_F_INT(struct attrs, block_size, 0, 0, INT32_MAX, "indices that share a scale")

static const struct eng_field quantize_fields[] = {
    SHARED_FIELDS,
    ENG_F_INT(struct attrs, output_dtype, 0, 0, 1000, "element type, if no zero point says it"),
    ENG_F_BOOL(struct attrs, saturate, 1, "of float8 only"),
};

static const struct eng_field dequantize_fields[] = {SHARED_FIELDS};

enum { X, SCALE, ZERO };

static bool has_zero(const struct eng_op_infer *q)
{
    return q->n_in > ZERO && q->in[ZERO];
}

/* --- infer --- */

static enum eng_status check_block(const struct eng_op_infer *q, int axis, int64_t size,
                                   struct eng_error *err)
{
    struct eng_shape wanted = q->in[X]->shape;
    wanted.dim[axis] = (wanted.dim[axis] + size - 1) / size;
    return eng_infer_shape(q, SCALE, &wanted, err);
}

/* One scale for all, whatever the axis says; else the axis counts. */
static enum eng_status resolve(const struct eng_op_infer *q, struct eng_quantisation *out,
                               struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[X]->shape, *scale = &q->in[SCALE]->shape;
    *out = (struct eng_quantisation){
        .outer = 1, .axis = (size_t)eng_shape_count(x), .inner = 1, .block = 1};
    if (attrs->block_size == 0 && scale->rank <= 1 && eng_shape_count(scale) == 1) return ENG_OK;
    int axis;
    enum eng_status status = eng_infer_since(q, 13, true, "scales per axis", err);
    if (status == ENG_OK) status = eng_infer_axis(attrs->axis, x->rank, &axis, err);
    if (status != ENG_OK) return status;
    out->axis = (size_t)x->dim[axis];
    for (int d = 0; d < x->rank; d++)
        *(d < axis ? &out->outer : &out->inner) *= d == axis ? 1 : (size_t)x->dim[d];
    if (attrs->block_size > 0) {
        out->by = ENG_BY_BLOCK;
        out->block = (size_t)attrs->block_size;
        status = eng_infer_since(q, 21, true, "block_size", err);
        return status == ENG_OK ? check_block(q, axis, attrs->block_size, err) : status;
    }
    out->by = ENG_BY_AXIS;
    struct eng_shape wanted = {.rank = 1, .dim = {x->dim[axis]}};
    return eng_infer_shape(q, SCALE, &wanted, err);
}

static enum eng_status check_parameters(const struct eng_op_infer *q, enum eng_dtype zero_dtype,
                                        struct eng_error *err)
{
    enum eng_status status = eng_infer_dtype(q, SCALE, ENG_FLOAT32, err);
    if (status == ENG_OK && has_zero(q)) status = eng_infer_dtype(q, ZERO, zero_dtype, err);
    if (status == ENG_OK && has_zero(q))
        status = eng_infer_count(q, ZERO, eng_shape_count(&q->in[SCALE]->shape), err);
    return status;
}

static enum eng_status check_16_bits(const struct eng_op_infer *q, enum eng_dtype dtype,
                                     struct eng_error *err)
{
    bool is_wide = dtype == ENG_UINT16 || dtype == ENG_INT16;
    return eng_infer_since(q, 21, is_wide, eng_dtype_name(dtype), err);
}

/* The zero point's type, the attribute's, or uint8. */
static enum eng_status output_type(const struct eng_op_infer *q, enum eng_dtype *out,
                                   struct eng_error *err)
{
    static const char *const refused[] = {
        [17] = "float8e4m3fn",   [18] = "float8e4m3fnuz", [19] = "float8e5m2",
        [20] = "float8e5m2fnuz", [21] = "uint4",          [22] = "int4"};
    int64_t asked = ((const struct attrs *)q->attrs)->output_dtype;
    enum eng_status status = eng_infer_since(q, 21, asked != 0, "output_dtype", err);
    if (status != ENG_OK) return status;
    if (asked >= 17 && asked <= 22)
        return eng_fail(err, ENG_UNSUPPORTED, "output_dtype is %s; 8 or 16 bits are wanted",
                        refused[asked]);
    enum eng_dtype dtype = asked != 0 ? (enum eng_dtype)asked : ENG_UINT8;
    if (has_zero(q)) dtype = q->in[ZERO]->dtype;
    if (asked != 0 && dtype != (enum eng_dtype)asked)
        return eng_fail(err, ENG_FORMAT, "output_dtype is %s, but the zero point is %s",
                        eng_dtype_name((enum eng_dtype)asked), eng_dtype_name(dtype));
    if (!eng_quantise_makes(dtype))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "quantises to %s; uint8, int8, uint16 or int16 is wanted",
                        eng_dtype_name(dtype));
    *out = dtype;
    return check_16_bits(q, dtype, err);
}

static enum eng_status quantize_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype dtype = ENG_DTYPE_NONE;
    enum eng_status status = ENG_OK;
    if (q->in[X]->dtype != ENG_INT32) status = eng_infer_dtype(q, X, ENG_FLOAT32, err);
    if (status == ENG_OK) status = output_type(q, &dtype, err);
    if (status == ENG_OK) status = check_parameters(q, dtype, err);
    if (status == ENG_OK) status = resolve(q, q->state, err);
    if (status == ENG_OK) eng_infer_output(q, 0, dtype, &q->in[X]->shape);
    return status;
}

static enum eng_status dequantize_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[X]->dtype;
    if (!eng_dequantise_takes(dtype))
        return eng_fail(
            err, ENG_UNSUPPORTED,
            "input 0 has element type %s; an integer of 8 or 16 bits or int32 is wanted",
            eng_dtype_name(dtype));
    enum eng_status status = check_16_bits(q, dtype, err);
    if (status == ENG_OK) status = check_parameters(q, dtype, err);
    if (status == ENG_OK) status = resolve(q, q->state, err);
    if (status == ENG_OK) eng_infer_output(q, 0, ENG_FLOAT32, &q->in[X]->shape);
    return status;
}

static enum eng_status dynamic_quantize_infer(struct eng_op_infer *q, struct eng_error *err)
{
    static const struct eng_shape scalar = {0};
    const struct eng_shape *x = &q->in[X]->shape;
    enum eng_status status = eng_infer_dtype(q, X, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    *(struct eng_quantisation *)q->state = (struct eng_quantisation){
        .outer = 1, .axis = (size_t)eng_shape_count(x), .inner = 1, .block = 1};
    eng_infer_output(q, 0, ENG_UINT8, x);
    eng_infer_output(q, 1, ENG_FLOAT32, &scalar);
    eng_infer_output(q, 2, ENG_UINT8, &scalar);
    return ENG_OK;
}

/* --- forward --- */

static const void *zero_point(const struct eng_op_call *call)
{
    return call->n_in > ZERO && call->in[ZERO] ? call->in[ZERO]->data : NULL;
}

static void quantize_forward(const struct eng_op_call *call)
{
    eng_quantise(call->state, call->in[X]->dtype, call->in[X]->data, call->in[SCALE]->data,
                 zero_point(call), call->out[0]->dtype, call->out[0]->data, call->pool);
}

static void dequantize_forward(const struct eng_op_call *call)
{
    eng_dequantise(call->state, call->in[X]->dtype, call->in[X]->data, call->in[SCALE]->data,
                   zero_point(call), call->out[0]->data, call->pool);
}

static void dynamic_quantize_forward(const struct eng_op_call *call)
{
    const struct eng_quantisation *q = call->state;
    const float *x = call->in[X]->data;
    float low = 0, high = 0;
    for (size_t i = 0; i < q->axis; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float scale = high == low ? 1 : (high - low) / 255; /* nothing but zeros: any scale does */
    float zero = rintf(fminf(fmaxf(-low / scale, 0), 255));
    uint8_t zero_byte = (uint8_t)zero;
    eng_quantise(q, ENG_FLOAT32, x, &scale, &zero_byte, ENG_UINT8, call->out[0]->data, call->pool);
    if (call->n_out > 1 && call->out[1]) *(float *)call->out[1]->data = scale;
    if (call->n_out > 2 && call->out[2]) *(uint8_t *)call->out[2]->data = zero_byte;
}

#define QUANTISER(onnx_name, id, first_opset, inputs_min, inputs, outputs, ...)                 \
    const struct eng_op eng_op_##id##_linear = {.name = onnx_name,                              \
                                                .domain = "",                                   \
                                                .opset_min = first_opset,                       \
                                                .opset_max = ENG_OPSET_MAX,                     \
                                                .in_min = inputs_min,                           \
                                                .in_max = inputs,                               \
                                                .out_min = outputs,                             \
                                                .out_max = outputs,                             \
                                                .state_bytes = sizeof(struct eng_quantisation), \
                                                .infer = id##_infer,                            \
                                                .forward = id##_forward,                        \
                                                __VA_ARGS__}
#define ATTRS(table) \
    .attrs = table, .n_attrs = sizeof table / sizeof table[0], .attrs_bytes = sizeof(struct attrs)

QUANTISER("QuantizeLinear", quantize, 10, 2, 3, 1, ATTRS(quantize_fields),
          .follow = eng_follow_aligned);
QUANTISER("DequantizeLinear", dequantize, 10, 2, 3, 1, ATTRS(dequantize_fields),
          .follow = eng_follow_aligned);
QUANTISER("DynamicQuantizeLinear", dynamic_quantize, 11, 1, 1, 3, .flags = 0);
