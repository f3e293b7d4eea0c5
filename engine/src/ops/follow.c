#include "ops/op.h"

int eng_follow_rows(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct eng_shape *x = &q->in[k]->shape, *y = &q->out[0]->shape;
    return axis == 0 && y->rank > 0 && x->dim[0] == y->dim[0] ? 0 : ENG_AXIS_MIXED;
}

int eng_follow_aligned(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct eng_shape *x = &q->in[k]->shape, *y = &q->out[0]->shape;
    int to = axis + y->rank - x->rank;
    return to >= 0 && to < y->rank && x->dim[axis] == y->dim[to] ? to : ENG_AXIS_MIXED;
}

int eng_follow_left(const struct eng_op_infer *q, size_t k, int axis)
{
    bool kept = q->in[k]->shape.rank == q->out[0]->shape.rank;
    return kept ? eng_follow_aligned(q, k, axis) : eng_follow_rows(q, k, axis);
}
