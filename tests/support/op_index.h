/* For references that move elements: all indices of an element at once, and back. */
#ifndef TEST_SUPPORT_OP_INDEX_H
#define TEST_SUPPORT_OP_INDEX_H

#include "op_case.h"

static inline void op_indices(const struct eng_shape *shape, size_t i, int64_t index[ENG_MAX_RANK])
{
    for (int d = 0; d < shape->rank; d++)
        index[d] = op_index(shape, i, d);
}

static inline size_t op_offset(const struct eng_shape *shape, const int64_t index[ENG_MAX_RANK])
{
    int64_t at = 0;
    for (int d = 0; d < shape->rank; d++) {
        assert_true(index[d] >= 0 && index[d] < shape->dim[d]);
        at = at * shape->dim[d] + index[d];
    }
    return (size_t)at;
}

static inline double op_at(const struct op_values *values, const int64_t index[ENG_MAX_RANK])
{
    return values->v[op_offset(&values->shape, index)];
}

#endif
