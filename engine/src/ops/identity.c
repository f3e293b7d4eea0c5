/*
 * Y = X, of any type.
 *
 * Source: ONNX Identity, versions 1-16 (tensors; not sequences and optionals).
 */
#include "ops/move.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    (void)err;
    eng_infer_same(q);
    return ENG_OK;
}

const struct eng_op eng_op_identity = {
    .name = "Identity",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_VIEW | ENG_OP_NO_OP,
    .infer = infer,
    .forward = eng_move_forward,
    .backward = eng_move_backward,
};
