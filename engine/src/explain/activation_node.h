/* An activation as a node of its own. */
#ifndef ENG_EXPLAIN_ACTIVATION_NODE_H
#define ENG_EXPLAIN_ACTIVATION_NODE_H

#include "ops/op.h"

/* Y = f(X); attrs: struct eng_activation. No operator of files: a pass took the attributes apart.
 */
extern const struct eng_op eng_explain_activation_op;

#endif
