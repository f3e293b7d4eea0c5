/* A choice, element by element, among two tensors; the shapes broadcast as in numpy. */
#ifndef ENG_KERNELS_SELECT_H
#define ENG_KERNELS_SELECT_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

enum { ENG_SELECT_SIDES = 3 }; /* condition, yes, no */

/* The result's dimensions, joined where all sides walk through them alike; steps are 0 along a
 * dimension that a side repeats. */
struct eng_select {
    int rank; /* at least 1 */
    size_t dim[ENG_MAX_RANK];
    size_t step[ENG_SELECT_SIDES][ENG_MAX_RANK];
    size_t count; /* of the result */
};

/* Purpose: works out how condition, yes and no walk through y, to which they broadcast. */
void eng_select_plan(const struct eng_shape *const sides[ENG_SELECT_SIDES],
                     const struct eng_shape *y, struct eng_select *out);

/* Purpose: y = condition ? yes : no, elements of 1, 2, 4 or 8 bytes. */
void eng_select_forward(const struct eng_select *plan, const uint8_t *condition, const void *yes,
                        const void *no, size_t element_bytes, void *y, struct eng_pool *pool);

/* Purpose: d += dy where the condition is `wanted`, d being the gradient of yes (true) or no. */
void eng_select_backward(const struct eng_select *plan, const uint8_t *condition, bool wanted,
                         const float *dy, float *d);

#endif
