/* Y = X sigmoid(alpha X). No file can name it (in opset 24 it is ONNX's Swish): graph/swish.h finds
 * it. */
#ifndef ENG_OPS_SWISH_H
#define ENG_OPS_SWISH_H

#include "ops/op.h"

extern const struct eng_op eng_op_swish;

#endif
