/*
 * Y = what input 1, the indices, names in X; of any type.
 *
 * Gather: along an axis, as numpy.take: that dimension of X is replaced by the indices' dimensions.
 * GatherElements: Y has the indices' shape; each index stands for the one along the axis, the
 * others are the element's own.
 * GatherND: the indices' last dimension holds tuples, each of which names a block of X; the first
 * batch_dims dimensions belong to both.
 * ArrayFeatureExtractor: along the last axis, by all indices as one list; of a list it makes a row.
 * Indices are int64 or int32; negative ones count from the end. Those known while planning that lie
 * outside X are refused; of those computed from the picture such a one gives 0.
 * Gradient: dX sums dY over all places that read it. Source: ONNX Gather 1, 11, 13; GatherElements
 * 11, 13; GatherND 11, 12, 13; ONNX-ML ArrayFeatureExtractor 1.
 */
#include "base/error.h"
#include "ops/indices.h"

struct attrs {
    int64_t axis;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, 0, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "the dimension of the index"),
};

/* An axis with `outer` blocks before it, and `inner` elements behind, is read at `count` indices.
 */
static void map_axis(struct eng_indexed *map, int64_t outer, int64_t length, int64_t inner,
                     int64_t count)
{
    eng_indexed_push(map, outer, length * inner, 0);
    eng_indexed_push(map, count, 0, 1);
    eng_indexed_push_tuple(map, length, inner);
    map->block = inner;
}

static enum eng_status gather_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_indexed *map = q->state;
    const struct eng_shape *x = &q->in[0]->shape, *indices = &q->in[1]->shape;
    int axis;
    enum eng_status status = eng_infer_axis(attrs->axis, x->rank, &axis, err);
    if (status != ENG_OK) return status;
    if (x->rank - 1 + indices->rank > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "the output has %d dimensions; at most %d are wanted",
                        x->rank - 1 + indices->rank, ENG_MAX_RANK);
    struct eng_shape y = {.rank = 0};
    int64_t outer = 1, inner = 1, count = eng_shape_count(indices);
    for (int d = 0; d < axis; d++)
        outer *= y.dim[y.rank++] = x->dim[d];
    for (int d = 0; d < indices->rank; d++)
        y.dim[y.rank++] = indices->dim[d];
    for (int d = axis + 1; d < x->rank; d++)
        inner *= y.dim[y.rank++] = x->dim[d];
    map_axis(map, outer, x->dim[axis], inner, count);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return eng_indices_check(q, map, err);
}

static int gather_follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct attrs *attrs = q->attrs;
    int rank = q->in[0]->shape.rank, n_indices = q->in[1]->shape.rank;
    int at = (int)attrs->axis < 0 ? (int)attrs->axis + rank : (int)attrs->axis;
    if (k == 1) return at + axis;
    if (axis == at) return ENG_AXIS_MIXED;
    return axis < at ? axis : axis - 1 + n_indices;
}

static enum eng_status gather_elements_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    enum eng_status status = eng_indices_map_elements(q, attrs->axis, q->state, err);
    if (status == ENG_OK) eng_infer_output(q, 0, q->in[0]->dtype, &q->in[1]->shape);
    return status;
}

static enum eng_status array_feature_extractor_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_rank(q, 0, 1, ENG_MAX_RANK, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, 1, ENG_INT64, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    int64_t count = eng_shape_count(&q->in[1]->shape);
    struct eng_shape y = {.rank = 2, .dim = {1, count}};
    if (x->rank > 1) {
        y = *x;
        y.dim[y.rank - 1] = count;
    }
    map_axis(q->state, (int64_t)eng_infer_product(x, 0, x->rank - 1), x->dim[x->rank - 1], 1,
             count);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return eng_indices_check(q, q->state, err);
}

/* Along the axes of X but the last, and along indices that stand in one axis. */
static int array_feature_extractor_follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct eng_shape *shape = &q->in[k]->shape;
    if (k == 0) return axis < shape->rank - 1 ? axis : ENG_AXIS_MIXED;
    return shape->dim[axis] == eng_shape_count(shape) ? q->out[0]->shape.rank - 1 : ENG_AXIS_MIXED;
}

struct nd_attrs {
    int64_t batch_dims;
};

static const struct eng_field nd_fields[] = {
    ENG_F_INT(struct nd_attrs, batch_dims, 0, 0, ENG_MAX_RANK - 1,
              "first dimensions that data and indices share; from opset 12 on"),
};

static enum eng_status gather_nd_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct nd_attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape, *indices = &q->in[1]->shape;
    enum eng_status status = eng_infer_since(q, 12, attrs->batch_dims > 0, "batch_dims", err);
    if (status == ENG_OK) status = eng_indices_map_tuples(q, attrs->batch_dims, q->state, err);
    if (status != ENG_OK) return status;
    int from = (int)attrs->batch_dims + ((struct eng_indexed *)q->state)->n_tuple;
    int rank = indices->rank - 1 + x->rank - from;
    if (rank > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "the output has %d dimensions; at most %d are wanted",
                        rank, ENG_MAX_RANK);
    struct eng_shape y = {.rank = 0};
    for (int d = 0; d < indices->rank - 1; d++)
        y.dim[y.rank++] = indices->dim[d];
    for (int d = from; d < x->rank; d++)
        y.dim[y.rank++] = x->dim[d];
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

#define GATHER(onnx_name, id, first_opset, table, ...)                            \
    const struct eng_op eng_op_##id = {.name = onnx_name,                         \
                                       .domain = "",                              \
                                       .opset_min = first_opset,                  \
                                       .opset_max = ENG_OPSET_MAX,                \
                                       .in_min = 2,                               \
                                       .in_max = 2,                               \
                                       .out_min = 1,                              \
                                       .out_max = 1,                              \
                                       .attrs = table,                            \
                                       .n_attrs = 1,                              \
                                       .attrs_bytes = sizeof(int64_t),            \
                                       .state_bytes = sizeof(struct eng_indexed), \
                                       .infer = id##_infer,                       \
                                       .forward = eng_indices_gather_forward,     \
                                       .backward = eng_indices_gather_backward,   \
                                       __VA_ARGS__}

GATHER("Gather", gather, ENG_OPSET_MIN, fields, .follow = gather_follow);
GATHER("GatherElements", gather_elements, 11, fields, );
GATHER("GatherND", gather_nd, 11, nd_fields, );

const struct eng_op eng_op_array_feature_extractor = {.name = "ArrayFeatureExtractor",
                                                      .domain = "ai.onnx.ml",
                                                      .opset_min = 1,
                                                      .opset_max = 5,
                                                      .in_min = 2,
                                                      .in_max = 2,
                                                      .out_min = 1,
                                                      .out_max = 1,
                                                      .state_bytes = sizeof(struct eng_indexed),
                                                      .infer = array_feature_extractor_infer,
                                                      .follow = array_feature_extractor_follow,
                                                      .forward = eng_indices_gather_forward,
                                                      .backward = eng_indices_gather_backward};
