#include "ops/indices.h"

#include "base/error.h"
#include "ops/move.h"

enum eng_status eng_indices_check(const struct eng_op_infer *q, const struct eng_indexed *map,
                                  struct eng_error *err)
{
    const struct eng_tensor *indices = q->in[1];
    if (indices->dtype != ENG_INT32) {
        enum eng_status status = eng_infer_dtype(q, 1, ENG_INT64, err);
        if (status != ENG_OK) return status;
    }
    int64_t n = indices->data ? eng_shape_count(&indices->shape) : 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t index = eng_int_at(indices, (size_t)i), length = map->length[i % map->n_tuple];
        if (index < -length || index >= length)
            return eng_fail(
                err, ENG_FORMAT,
                "index %lld lies outside a dimension of length %lld; %lld to %lld is wanted",
                (long long)index, (long long)length, (long long)-length, (long long)length - 1);
    }
    return ENG_OK;
}

enum eng_status eng_indices_map_elements(const struct eng_op_infer *q, int64_t axis,
                                         struct eng_indexed *map, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape, *indices = &q->in[1]->shape;
    int along;
    enum eng_status status = eng_infer_rank(q, 1, x->rank, x->rank, err);
    if (status == ENG_OK) status = eng_infer_axis(axis, x->rank, &along, err);
    if (status != ENG_OK) return status;
    ptrdiff_t step[ENG_MAX_RANK], index_step[ENG_MAX_RANK];
    eng_box_steps(x, step);
    eng_box_steps(indices, index_step);
    map->block = 1;
    for (int d = 0; d < x->rank; d++) {
        char x_text[96], text[96];
        if (d != along && indices->dim[d] > x->dim[d])
            return eng_fail(err, ENG_FORMAT,
                            "indices of shape %s go beyond data of shape %s along "
                            "axis %d",
                            eng_shape_format(indices, text, sizeof text),
                            eng_shape_format(x, x_text, sizeof x_text), d);
        eng_indexed_push(map, indices->dim[d], d == along ? 0 : step[d], index_step[d]);
    }
    eng_indexed_push_tuple(map, x->dim[along], step[along]);
    return eng_indices_check(q, map, err);
}

enum eng_status eng_indices_map_tuples(const struct eng_op_infer *q, int64_t batch_dims,
                                       struct eng_indexed *map, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape, *indices = &q->in[1]->shape;
    enum eng_status status = eng_infer_rank(q, 0, 1, ENG_MAX_RANK, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 1, 1, ENG_MAX_RANK, err);
    if (status != ENG_OK) return status;
    int64_t n_tuple = indices->dim[indices->rank - 1], most = x->rank - batch_dims;
    if (batch_dims >= indices->rank || batch_dims >= x->rank)
        return eng_fail(err, ENG_FORMAT, "batch_dims %lld is not below the ranks %d and %d",
                        (long long)batch_dims, x->rank, indices->rank);
    if (n_tuple < 1 || n_tuple > most)
        return eng_fail(err, ENG_FORMAT,
                        "the indices' last dimension is %lld; data of rank %d wants 1 to %lld",
                        (long long)n_tuple, x->rank, (long long)most);
    ptrdiff_t step[ENG_MAX_RANK], index_step[ENG_MAX_RANK];
    eng_box_steps(x, step);
    eng_box_steps(indices, index_step);
    for (int d = 0; d < indices->rank - 1; d++) {
        if (d < batch_dims && indices->dim[d] != x->dim[d])
            return eng_fail(err, ENG_FORMAT,
                            "batch dimension %d is %lld in the indices and %lld in the data", d,
                            (long long)indices->dim[d], (long long)x->dim[d]);
        eng_indexed_push(map, indices->dim[d], d < batch_dims ? step[d] : 0, index_step[d]);
    }
    for (int64_t d = batch_dims; d < batch_dims + n_tuple; d++)
        eng_indexed_push_tuple(map, x->dim[d], step[d]);
    map->block = step[batch_dims + n_tuple - 1];
    return eng_indices_check(q, map, err);
}

void eng_indices_gather_forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_indexed_gather(call->state, call->in[1], x->dtype, x->data, call->out[0]->data, call->pool);
}

void eng_indices_gather_backward(const struct eng_op_call *call)
{
    if (!eng_move_has_gradient(call, 0)) return;
    eng_indexed_scatter(call->state, call->in[1], ENG_FLOAT32, ENG_SCATTER_ADD,
                        call->grad_out[0]->data, call->grad_in[0]->data);
}
