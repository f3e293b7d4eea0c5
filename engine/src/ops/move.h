/* What operators share that only move elements: the output holds bytes of the input. */
#ifndef ENG_OPS_MOVE_H
#define ENG_OPS_MOVE_H

#include "kernels/box.h"
#include "ops/op.h"

/* Purpose: copies input 0 to output 0, unless they share their memory. */
void eng_move_forward(const struct eng_op_call *call);

/* Purpose: adds output 0's gradient to input 0's, unless they share their memory. Float. */
void eng_move_backward(const struct eng_op_call *call);

/*
 * Purpose: whether backward has a gradient to give input k: one comes, one is wanted, and the type
 * is float. What is moved of another type has no gradient: zeros, where they are to be written.
 */
bool eng_move_has_gradient(const struct eng_op_call *call, size_t k);

/* Purpose: whether grad_in[k] is to be written, not added to. */
bool eng_move_writes(const struct eng_op_call *call, size_t k);

/* Purpose: forward and backward of operators whose state is a struct eng_box from input 0 to output
 * 0. Only boxes that hold each element of input 0 once may be marked in writes_grad. */
void eng_move_box_forward(const struct eng_op_call *call);
void eng_move_box_backward(const struct eng_op_call *call);

/* Purpose: the box from [.., start .. start + length, ..] along an axis of a tensor to a tensor
 * that holds this part alone. */
struct eng_box eng_move_part(const struct eng_shape *whole, int axis, int64_t start,
                             int64_t length);

/* Purpose: grad_in[k] (+)= dy, moved by the box, as write_grad wants it. Ask eng_move_has_gradient
 * before. */
void eng_move_gradient(const struct eng_op_call *call, size_t k, const struct eng_box *box,
                       const struct eng_tensor *dy);

#endif
