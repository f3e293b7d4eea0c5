/* What operators share whose input 1 holds indices into input 0. Their state is a struct
 * eng_indexed. */
#ifndef ENG_OPS_INDICES_H
#define ENG_OPS_INDICES_H

#include "kernels/indexed.h"
#include "ops/op.h"

/*
 * Purpose: refuses indices (input 1) that are not int64 or int32, and such that are known while
 *          planning and lie outside the map's lengths; those that are not known are judged when
 *          they are used (kernels/indexed.h).
 */
enum eng_status eng_indices_check(const struct eng_op_infer *q, const struct eng_indexed *map,
                                  struct eng_error *err);

/* Purpose: the map from data of that shape to elements, index by index along an axis
 * (GatherElements, ScatterElements). Errors: FORMAT if the indices' shape does not fit. */
enum eng_status eng_indices_map_elements(const struct eng_op_infer *q, int64_t axis,
                                         struct eng_indexed *map, struct eng_error *err);

/* Purpose: the map from data to blocks, each named by the numbers along the indices' last dimension
 * (GatherND, ScatterND). Errors: FORMAT if the indices' shape does not fit. */
enum eng_status eng_indices_map_tuples(const struct eng_op_infer *q, int64_t batch_dims,
                                       struct eng_indexed *map, struct eng_error *err);

/* Purpose: forward and backward: output 0 is what the map finds in input 0. */
void eng_indices_gather_forward(const struct eng_op_call *call);
void eng_indices_gather_backward(const struct eng_op_call *call);

#endif
