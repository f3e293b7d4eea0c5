/*
 * A tensor at another size: each output position looks at its place in the input, by the rule of
 * coordinate_transformation_mode, and takes the nearest element or a mixture of its neighbours.
 *
 * Shapes: X [d0 .. dn], Y [floor(d0 scale0) ..], or the given sizes. Scales, sizes and the region
 * (roi, of crop and resize) must be known while planning. Upsample: asymmetric coordinates, nearest
 * by rounding down, or linear; Resize 10 so too, but along dimensions that shrink it rounds up, as
 * the standard's test of that version has it. Source: ONNX Resize 10, 11, 13, 18, 19; Upsample
 * 7, 9.
 */
#include "kernels/interpolate.h"

#include "base/error.h"
#include "ops/attrs.h"
#include "ops/op.h"

#include <math.h>

static const char *const mode_names[] = {"nearest", "linear", "cubic", NULL};
static const char *const coordinate_names[] = {
    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
    "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
static const char *const nearest_names[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil", NULL};
enum policy { STRETCH, NOT_LARGER, NOT_SMALLER };
static const char *const policy_names[] = {"stretch", "not_larger", "not_smaller", NULL};

struct attrs {
    bool antialias, exclude_outside;
    struct eng_ints axes;
    int coordinate_transformation_mode, keep_aspect_ratio_policy, mode, nearest_mode;
    double cubic_coeff_a, extrapolation_value;
    const struct eng_attr *scales; /* Upsample 7 */
};

static const struct eng_field resize_fields[] = {
    ENG_F_BOOL(struct attrs, antialias, 0, "widen the filter where the tensor shrinks"),
    ENG_F_INTS(struct attrs, axes, -ENG_MAX_RANK, ENG_MAX_RANK - 1,
               "dimensions that scales, sizes and roi speak of; all if left out"),
    ENG_F_CHOICE(struct attrs, coordinate_transformation_mode, ENG_HALF_PIXEL, coordinate_names,
                 "where an output position lies in the input"),
    ENG_F_FLOAT(struct attrs, cubic_coeff_a, -0.75, -1e6, 1e6, "parameter of the cubic filter"),
    ENG_F_BOOL(struct attrs, exclude_outside, 0, "elements beyond the edge count nothing"),
    ENG_F_FLOAT(struct attrs, extrapolation_value, 0, -3.5e38, 3.5e38,
                "what tf_crop_and_resize gives beyond the edge"),
    ENG_F_CHOICE(struct attrs, keep_aspect_ratio_policy, STRETCH, policy_names,
                 "how sizes are understood"),
    ENG_F_CHOICE(struct attrs, mode, ENG_NEAREST, mode_names, "the filter"),
    ENG_F_CHOICE(struct attrs, nearest_mode, ENG_ROUND_PREFER_FLOOR, nearest_names,
                 "which neighbour is the nearest"),
};

static const struct eng_field upsample_fields[] = {
    ENG_F_CHOICE(struct attrs, mode, ENG_NEAREST, mode_names, "the filter"),
    ENG_F_ATTR(struct attrs, scales, "opset 7: factor of each dimension"),
};

/* --- which dimensions are spoken of --- */

struct axes {
    int n, of[ENG_MAX_RANK];
};

static enum eng_status read_axes(const struct attrs *attrs, int rank, struct axes *out,
                                 struct eng_error *err)
{
    unsigned seen = 0;
    out->n = attrs->axes.n > 0 ? attrs->axes.n : rank;
    if (out->n > rank)
        return eng_fail(err, ENG_FORMAT, "attribute 'axes' names %d dimensions of %d", out->n,
                        rank);
    for (int i = 0; i < out->n; i++) {
        out->of[i] = i;
        enum eng_status status = ENG_OK;
        if (attrs->axes.n > 0) status = eng_infer_axis(attrs->axes.v[i], rank, &out->of[i], err);
        if (status != ENG_OK) return status;
        if (seen >> out->of[i] & 1)
            return eng_fail(err, ENG_FORMAT, "attribute 'axes' names dimension %d twice",
                            out->of[i]);
        seen |= 1u << out->of[i];
    }
    return ENG_OK;
}

/* --- the inputs --- */

/* Files of opset 11 and 12 say "left out" with an empty tensor. */
static const struct eng_tensor *given(const struct eng_op_infer *q, size_t k)
{
    if (k >= q->n_in || !q->in[k] || eng_shape_count(&q->in[k]->shape) == 0) return NULL;
    return q->in[k];
}

static enum eng_status check_list(const struct eng_op_infer *q, size_t k, const char *name,
                                  enum eng_dtype dtype, int64_t n, struct eng_error *err)
{
    enum eng_status status = eng_infer_constant(q, k, name, dtype, err);
    if (status == ENG_OK) status = eng_infer_rank(q, k, 1, 1, err);
    return status == ENG_OK ? eng_infer_count(q, k, n, err) : status;
}

static enum eng_status set_scale(struct eng_interpolation_axis *axis, float scale,
                                 struct eng_error *err)
{
    float length = (float)axis->in * scale;
    if (!(scale > 0) || !(length < 0x1p31f))
        return eng_fail(err, ENG_FORMAT,
                        "a scale is %g for a dimension of %zu; a number above 0 that gives less "
                        "than 2^31 is wanted",
                        (double)scale, axis->in);
    axis->scale = scale;
    axis->length = length;
    axis->out = (size_t)floorf(length);
    return ENG_OK;
}

static enum eng_status use_scales(struct eng_interpolation *i, const struct axes *axes,
                                  const float *scales, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (int k = 0; status == ENG_OK && k < axes->n; k++)
        status = set_scale(&i->axis[axes->of[k]], scales[k], err);
    return status;
}

/* One scale for all axes, so that the result fits into the sizes, or covers them. */
static enum eng_status keep_aspect(struct eng_interpolation *i, const struct axes *axes,
                                   const int64_t *sizes, bool not_larger, struct eng_error *err)
{
    float scale = not_larger ? INFINITY : 0;
    for (int k = 0; k < axes->n; k++) {
        float one = (float)sizes[k] / (float)i->axis[axes->of[k]].in;
        if (not_larger ? one < scale : one > scale) scale = one;
    }
    enum eng_status status = ENG_OK;
    for (int k = 0; status == ENG_OK && k < axes->n; k++) {
        struct eng_interpolation_axis *axis = &i->axis[axes->of[k]];
        status = set_scale(axis, scale, err);
        if (status == ENG_OK) axis->out = (size_t)floorf(axis->length + 0.5f);
    }
    return status;
}

static enum eng_status use_sizes(struct eng_interpolation *i, const struct axes *axes,
                                 const int64_t *sizes, enum policy policy, struct eng_error *err)
{
    for (int k = 0; k < axes->n; k++) {
        struct eng_interpolation_axis *axis = &i->axis[axes->of[k]];
        if (sizes[k] < 1 || sizes[k] > INT32_MAX)
            return eng_fail(err, ENG_FORMAT, "sizes[%d] is %lld; 1 to %d is wanted", k,
                            (long long)sizes[k], INT32_MAX);
        axis->out = (size_t)sizes[k];
        axis->length = (float)sizes[k];
        axis->scale = (float)sizes[k] / (float)axis->in;
    }
    if (policy == STRETCH) return ENG_OK;
    return keep_aspect(i, axes, sizes, policy == NOT_LARGER, err);
}

static enum eng_status use_roi(const struct eng_op_infer *q, struct eng_interpolation *i,
                               const struct axes *axes, struct eng_error *err)
{
    if (i->coordinates != ENG_TF_CROP_AND_RESIZE) return ENG_OK;
    if (!given(q, 1))
        return eng_fail(err, ENG_FORMAT, "input 1 (roi) is missing; tf_crop_and_resize needs it");
    enum eng_dtype dtype = q->in[1]->dtype == ENG_FLOAT64 ? ENG_FLOAT64 : ENG_FLOAT32;
    enum eng_status status = check_list(q, 1, "roi", dtype, 2 * axes->n, err);
    if (status != ENG_OK) return status;
    for (int k = 0; k < 2 * axes->n; k++) {
        float part = dtype == ENG_FLOAT32 ? ((const float *)q->in[1]->data)[k]
                                          : (float)((const double *)q->in[1]->data)[k];
        struct eng_interpolation_axis *axis = &i->axis[axes->of[k % axes->n]];
        *(k < axes->n ? &axis->roi_start : &axis->roi_end) = part;
    }
    return ENG_OK;
}

/* --- infer --- */

static void start_axes(const struct eng_op_infer *q, struct eng_interpolation *i)
{
    const struct eng_shape *x = &q->in[0]->shape;
    i->rank = x->rank;
    i->backward = q->training;
    for (int d = 0; d < x->rank; d++)
        i->axis[d] = (struct eng_interpolation_axis){.in = (size_t)x->dim[d],
                                                     .out = (size_t)x->dim[d],
                                                     .scale = 1,
                                                     .length = (float)x->dim[d],
                                                     .roi_end = 1};
}

static enum eng_status check_input(const struct eng_op_infer *q, enum eng_filter filter,
                                   struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    enum eng_status status = eng_infer_rank(q, 0, 1, ENG_MAX_RANK, err);
    if (status != ENG_OK) return status;
    if (q->in[0]->dtype == ENG_BOOL && filter != ENG_NEAREST)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type bool, which has only "
                        "nearest elements; a number is wanted");
    for (int d = 0; d < x->rank; d++)
        if (x->dim[d] > INT32_MAX)
            return eng_fail(err, ENG_LIMIT, "dimension %d is %lld; at most %d is wanted", d,
                            (long long)x->dim[d], INT32_MAX);
    return ENG_OK;
}

static enum eng_status finish(struct eng_op_infer *q, struct eng_interpolation *i,
                              struct eng_error *err)
{
    struct eng_shape y = {.rank = i->rank};
    bool is_crop = i->coordinates == ENG_TF_CROP_AND_RESIZE;
    for (int d = 0; d < i->rank; d++) {
        struct eng_interpolation_axis *axis = &i->axis[d];
        y.dim[d] = (int64_t)axis->out;
        axis->is_same = axis->scale == 1 && axis->out == axis->in &&
                        !(is_crop && (axis->roi_start != 0 || axis->roi_end != 1));
        if (axis->in == 0 && axis->out > 0)
            return eng_fail(err, ENG_FORMAT,
                            "dimension %d of input 0 is empty, but %zu of the "
                            "output is not",
                            d, axis->out);
    }
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    if (eng_shape_count(&y) <= 0) return ENG_OK;
    if (!eng_interpolate_scratch_bytes(i, q->in[0]->dtype, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "resizing needs more scratch memory than there is");
    return ENG_OK;
}

/* Attributes that later opsets brought. */
static enum eng_status check_opset(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *a = q->attrs;
    enum eng_status status =
        eng_infer_since(q, 11, a->coordinate_transformation_mode != ENG_HALF_PIXEL,
                        "coordinate_transformation_mode", err);
    if (status == ENG_OK) status = eng_infer_since(q, 11, a->mode == ENG_CUBIC, "cubic", err);
    if (status == ENG_OK) status = eng_infer_since(q, 18, a->antialias, "antialias", err);
    if (status == ENG_OK) status = eng_infer_since(q, 18, a->axes.n > 0, "axes", err);
    if (status == ENG_OK)
        status = eng_infer_since(q, 18, a->keep_aspect_ratio_policy != STRETCH,
                                 "keep_aspect_ratio_policy", err);
    if (status == ENG_OK) status = eng_infer_since(q, 11, q->n_in > 2, "input 2", err);
    return status;
}

/* Since opset 11; empty scales and sizes have a type too. */
static enum eng_status check_types(const struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    bool has_scales = q->n_in > 2 && q->in[2], has_roi = q->n_in > 1 && q->in[1];
    if (q->opset < 11) return ENG_OK;
    status = eng_infer_since(q, 13, !has_roi || !has_scales, "leaving out roi or scales", err);
    if (status == ENG_OK && has_scales) status = eng_infer_dtype(q, 2, ENG_FLOAT32, err);
    if (status == ENG_OK && q->n_in > 3 && q->in[3]) status = eng_infer_dtype(q, 3, ENG_INT64, err);
    return status;
}

static enum eng_status resize_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_interpolation *i = q->state;
    struct axes axes;
    bool is_old = q->opset < 11; /* scales are input 1, and there is one rule */
    *i = (struct eng_interpolation){
        .coordinates =
            is_old ? ENG_ASYMMETRIC : (enum eng_coordinates)attrs->coordinate_transformation_mode,
        .filter = (enum eng_filter)attrs->mode,
        .nearest = is_old ? ENG_CEIL_IF_SMALLER : (enum eng_nearest)attrs->nearest_mode,
        .antialias = attrs->antialias,
        .exclude_outside = attrs->exclude_outside,
        .cubic_a = attrs->cubic_coeff_a,
        .extrapolation = attrs->extrapolation_value};
    enum eng_status status = check_opset(q, err);
    if (status == ENG_OK) status = check_types(q, err);
    if (status == ENG_OK) status = check_input(q, i->filter, err);
    if (status == ENG_OK) status = read_axes(attrs, q->in[0]->shape.rank, &axes, err);
    if (status != ENG_OK) return status;
    start_axes(q, i);
    size_t at = is_old ? 1 : 2;
    bool has_scales = given(q, at) != NULL, has_sizes = given(q, 3) != NULL;
    if (has_scales == has_sizes)
        return eng_fail(err, ENG_FORMAT, "has %s; one of the inputs 'scales' and 'sizes' is wanted",
                        has_scales ? "scales and sizes" : "neither scales nor sizes");
    status = has_scales ? check_list(q, at, "scales", ENG_FLOAT32, axes.n, err)
                        : check_list(q, 3, "sizes", ENG_INT64, axes.n, err);
    if (status == ENG_OK)
        status = has_scales ? use_scales(i, &axes, q->in[at]->data, err)
                            : use_sizes(i, &axes, q->in[3]->data,
                                        (enum policy)attrs->keep_aspect_ratio_policy, err);
    if (status == ENG_OK) status = use_roi(q, i, &axes, err);
    return status == ENG_OK ? finish(q, i, err) : status;
}

/* Opset 7 has the scales as an attribute, opset 9 as an input. */
static enum eng_status upsample_scales(const struct eng_op_infer *q, const float **out,
                                       struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    int rank = q->in[0]->shape.rank;
    if (q->opset >= 9) {
        if (attrs->scales)
            return eng_fail(err, ENG_FORMAT,
                            "attribute 'scales' is an input from opset 9 on; the "
                            "file uses opset %d",
                            q->opset);
        if (q->n_in < 2 || !q->in[1])
            return eng_fail(err, ENG_FORMAT, "input 1 (scales) is missing");
        enum eng_status status = check_list(q, 1, "scales", ENG_FLOAT32, rank, err);
        if (status == ENG_OK) *out = q->in[1]->data;
        return status;
    }
    enum eng_status status = eng_infer_since(q, 9, q->n_in > 1, "input 1", err);
    if (status != ENG_OK) return status;
    if (!attrs->scales || attrs->scales->type != ENG_ATTR_FLOATS ||
        attrs->scales->n != (size_t)rank)
        return eng_fail(err, ENG_FORMAT, "attribute 'scales' must be %d floats", rank);
    *out = attrs->scales->floats;
    return ENG_OK;
}

static enum eng_status upsample_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_interpolation *i = q->state;
    struct axes axes;
    const float *scales = NULL;
    *i = (struct eng_interpolation){.coordinates = ENG_ASYMMETRIC,
                                    .filter = (enum eng_filter)attrs->mode,
                                    .nearest = ENG_FLOOR};
    if (i->filter == ENG_CUBIC)
        return eng_fail(err, ENG_FORMAT, "mode is cubic; nearest or linear is wanted");
    enum eng_status status = check_input(q, i->filter, err);
    if (status == ENG_OK) status = read_axes(attrs, q->in[0]->shape.rank, &axes, err);
    if (status == ENG_OK) status = upsample_scales(q, &scales, err);
    if (status != ENG_OK) return status;
    start_axes(q, i);
    status = use_scales(i, &axes, scales, err);
    return status == ENG_OK ? finish(q, i, err) : status;
}

static void forward(const struct eng_op_call *call)
{
    eng_interpolate_forward(call->state, call->in[0]->dtype, call->in[0]->data, call->out[0]->data,
                            call->scratch, call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (call->grad_out[0] && call->grad_in[0])
        eng_interpolate_backward(call->state, call->grad_out[0]->data, call->grad_in[0]->data,
                                 call->scratch);
}

#define RESIZER(onnx_name, id, first_opset, last_opset, inputs) \
    const struct eng_op eng_op_##id = {                         \
        .name = onnx_name,                                      \
        .domain = "",                                           \
        .opset_min = first_opset,                               \
        .opset_max = last_opset,                                \
        .in_min = 1,                                            \
        .in_max = inputs,                                       \
        .out_min = 1,                                           \
        .out_max = 1,                                           \
        .attrs = id##_fields,                                   \
        .n_attrs = sizeof id##_fields / sizeof id##_fields[0],  \
        .attrs_bytes = sizeof(struct attrs),                    \
        .state_bytes = sizeof(struct eng_interpolation),        \
        .infer = id##_infer,                                    \
        .forward = forward,                                     \
        .backward = backward,                                   \
        .shape_inputs = 8, /* sizes */                          \
    }

RESIZER("Resize", resize, 10, ENG_OPSET_MAX, 4);
RESIZER("Upsample", upsample, ENG_OPSET_MIN, 9, 2);
