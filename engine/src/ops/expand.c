/*
 * X repeated; of any type.
 *
 * Expand: Y has the shape to which X and input 1 (a shape) broadcast, as in numpy.
 * Tile: dimension d of Y is input 1's element d times dimension d of X.
 * Input 1 must be known while planning. Gradient: dY summed over the repetitions.
 * Source: ONNX Expand, versions 8, 13; Tile, versions 6, 13.
 */
#include "base/error.h"
#include "ops/move.h"

static enum eng_status expand_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_ints list;
    enum eng_status status = eng_infer_constant(q, 1, "shape", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_ints(q, 1, "shape", &list, err);
    if (status != ENG_OK) return status;
    if (list.n > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "'shape' has %d numbers; at most %d are wanted",
                        list.n, ENG_MAX_RANK);
    struct eng_shape wanted = {.rank = list.n}, y;
    for (int d = 0; d < list.n; d++) {
        wanted.dim[d] = list.v[d];
        if (list.v[d] < 0)
            return eng_fail(err, ENG_FORMAT, "'shape' holds %lld; 0 or more is wanted",
                            (long long)list.v[d]);
    }
    status = eng_infer_broadcast(x, &wanted, &y, err);
    if (status != ENG_OK) return status;
    ptrdiff_t from[ENG_MAX_RANK], to[ENG_MAX_RANK];
    status = eng_infer_fits(&y, err);
    if (status != ENG_OK) return status;
    eng_box_steps(x, from);
    eng_box_steps(&y, to);
    for (int d = 0; d < y.rank; d++) {
        int of_x = d - (y.rank - x->rank);
        bool repeats = of_x < 0 || x->dim[of_x] == 1;
        eng_box_push(q->state, y.dim[d], repeats ? 0 : from[of_x], to[d]);
    }
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static enum eng_status tile_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_ints repeats;
    enum eng_status status = eng_infer_constant(q, 1, "repeats", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_ints(q, 1, "repeats", &repeats, err);
    if (status == ENG_OK) status = eng_infer_count(q, 1, x->rank, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = {.rank = x->rank};
    for (int d = 0; d < y.rank; d++) {
        if (repeats.v[d] < 0)
            return eng_fail(err, ENG_FORMAT, "'repeats' holds %lld; 0 or more is wanted",
                            (long long)repeats.v[d]);
        if (__builtin_mul_overflow(x->dim[d], repeats.v[d], &y.dim[d])) y.dim[d] = INT64_MAX;
    }
    status = eng_infer_fits(&y, err);
    if (status != ENG_OK) return status;
    ptrdiff_t from[ENG_MAX_RANK], to[ENG_MAX_RANK];
    eng_box_steps(x, from);
    eng_box_steps(&y, to);
    for (int d = 0; d < y.rank; d++) {
        eng_box_push(q->state, repeats.v[d], 0, to[d] * x->dim[d]);
        eng_box_push(q->state, x->dim[d], from[d], to[d]);
    }
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

#define REPEAT(onnx_name, id, first_opset, shapes) \
    const struct eng_op eng_op_##id = {            \
        .name = onnx_name,                         \
        .domain = "",                              \
        .opset_min = first_opset,                  \
        .opset_max = ENG_OPSET_MAX,                \
        .in_min = 2,                               \
        .in_max = 2,                               \
        .out_min = 1,                              \
        .out_max = 1,                              \
        .follow = eng_follow_aligned,              \
        .state_bytes = sizeof(struct eng_box),     \
        .shape_inputs = shapes,                    \
        .infer = id##_infer,                       \
        .forward = eng_move_box_forward,           \
        .backward = eng_move_box_backward,         \
    }

REPEAT("Expand", expand, 8, 2);
REPEAT("Tile", tile, ENG_OPSET_MIN, 0);
