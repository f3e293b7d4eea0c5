/* Operators that only move: output 0 holds input 0's bytes. */
#ifndef ENG_OPS_MOVE_H
#define ENG_OPS_MOVE_H

#include "ops/op.h"

/* Purpose: copies input 0 to output 0, unless they share their memory. */
void eng_move_forward(const struct eng_op_call *call);

/* Purpose: adds output 0's gradient to input 0's, unless they share their memory. Float. */
void eng_move_backward(const struct eng_op_call *call);

#endif
