/*
 * Y = X with `updates` (input 2) put where input 1, the indices, says; of any type.
 *
 * ScatterElements: the indices have the updates' shape; each stands for the index along the axis,
 * the others are the element's own. Scatter is its name in opsets 9 and 10.
 * ScatterND: the indices' last dimension holds tuples, each of which names a block of X.
 * reduction: none, add and mul from opset 16 on, max and min from 18 on; of several updates of one
 * element the last stands, or all are combined. Indices as in Gather; of those computed from the
 * picture one that lies outside X writes nothing.
 * Gradient (none, add): updates get dY where they went; X gets dY, but where it was replaced.
 * Source: ONNX Scatter 9, 11; ScatterElements 11, 13, 16, 18; ScatterND 11, 13, 16, 18.
 */
#include "base/error.h"
#include "ops/indices.h"
#include "ops/move.h"

#include <string.h>

enum { INDICES = 1, UPDATES };

static const char *const reductions[] = {"none", "add", "mul", "max", "min", NULL};

struct attrs {
    int reduction; /* enum eng_scatter */
    int64_t axis;
};

#define REDUCTION \
    ENG_F_CHOICE(struct attrs, reduction, ENG_SCATTER_NONE, reductions, "how updates combine")
#define AXIS \
    ENG_F_INT(struct attrs, axis, 0, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "the dimension of the index")

static const struct eng_field elements_fields[] = {AXIS, REDUCTION};
static const struct eng_field nd_fields[] = {REDUCTION};

static enum eng_status finish(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    bool adds = attrs->reduction == ENG_SCATTER_NONE || attrs->reduction == ENG_SCATTER_ADD;
    int since = attrs->reduction > ENG_SCATTER_MUL ? 18 : 16;
    enum eng_status status =
        eng_infer_since(q, since, attrs->reduction != ENG_SCATTER_NONE, "this reduction", err);
    if (status == ENG_OK) status = eng_infer_dtype(q, UPDATES, q->in[0]->dtype, err);
    if (status != ENG_OK) return status;
    if (q->training && !adds)
        return eng_fail(err, ENG_UNSUPPORTED, "reduction '%s' has no gradient",
                        reductions[attrs->reduction]);
    if (q->training) q->scratch_bytes = (size_t)eng_tensor_bytes(q->in[0]);
    eng_infer_same(q);
    return ENG_OK;
}

static enum eng_status elements_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    enum eng_status status = eng_indices_map_elements(q, attrs->axis, q->state, err);
    if (status == ENG_OK) status = eng_infer_shape(q, UPDATES, &q->in[INDICES]->shape, err);
    return status == ENG_OK ? finish(q, err) : status;
}

static enum eng_status nd_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape, *indices = &q->in[INDICES]->shape;
    enum eng_status status = eng_indices_map_tuples(q, 0, q->state, err);
    if (status != ENG_OK) return status;
    struct eng_shape wanted = {.rank = 0};
    int from = ((struct eng_indexed *)q->state)->n_tuple;
    if (indices->rank - 1 + x->rank - from > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "the updates have more than %d dimensions",
                        ENG_MAX_RANK);
    for (int d = 0; d < indices->rank - 1; d++)
        wanted.dim[wanted.rank++] = indices->dim[d];
    for (int d = from; d < x->rank; d++)
        wanted.dim[wanted.rank++] = x->dim[d];
    status = eng_infer_shape(q, UPDATES, &wanted, err);
    return status == ENG_OK ? finish(q, err) : status;
}

static void forward(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    const struct eng_tensor *x = call->in[0];
    void *y = call->out[0]->data;
    if (y != x->data) memcpy(y, x->data, (size_t)eng_tensor_bytes(x));
    eng_indexed_scatter(call->state, call->in[INDICES], x->dtype,
                        (enum eng_scatter)attrs->reduction, call->in[UPDATES]->data, y);
}

/* dX += dY; what was replaced has no part in Y. */
static void data_backward(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    size_t n = (size_t)eng_shape_count(&call->in[0]->shape);
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    if (attrs->reduction == ENG_SCATTER_NONE && n > 0) {
        float *kept = call->scratch;
        memcpy(kept, dy, n * sizeof *kept);
        eng_indexed_scatter(call->state, call->in[INDICES], ENG_FLOAT32, ENG_SCATTER_NONE, NULL,
                            kept);
        dy = kept;
    }
    for (size_t i = 0; i < n; i++)
        dx[i] += dy[i];
}

static void backward(const struct eng_op_call *call)
{
    if (eng_move_has_gradient(call, 0)) data_backward(call);
    if (eng_move_has_gradient(call, UPDATES))
        eng_indexed_gather_add(call->state, call->in[INDICES], call->grad_out[0]->data,
                               call->grad_in[UPDATES]->data);
}

#define SCATTER(onnx_name, id, form, first_opset, last_opset)    \
    const struct eng_op eng_op_##id = {                          \
        .name = onnx_name,                                       \
        .domain = "",                                            \
        .opset_min = first_opset,                                \
        .opset_max = last_opset,                                 \
        .in_min = 3,                                             \
        .in_max = 3,                                             \
        .out_min = 1,                                            \
        .out_max = 1,                                            \
        .attrs = form##_fields,                                  \
        .n_attrs = sizeof form##_fields / sizeof *form##_fields, \
        .attrs_bytes = sizeof(struct attrs),                     \
        .state_bytes = sizeof(struct eng_indexed),               \
        .infer = form##_infer,                                   \
        .forward = forward,                                      \
        .backward = backward,                                    \
    }

SCATTER("Scatter", scatter, elements, 9, 10);
SCATTER("ScatterElements", scatter_elements, elements, 11, ENG_OPSET_MAX);
SCATTER("ScatterND", scatter_nd, nd, 11, ENG_OPSET_MAX);
