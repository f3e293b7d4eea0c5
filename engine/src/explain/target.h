/* Which value of a graph holds the scores that are explained. */
#ifndef ENG_EXPLAIN_TARGET_H
#define ENG_EXPLAIN_TARGET_H

#include "model/model_internal.h"

struct eng_explain_target {
    int value;     /* one score per class of every sample */
    bool is_logit; /* a softmax follows: the graph's or one that is added */
};

/*
 * Purpose: the input of the Softmax or LogSoftmax that the graph's answer ends in, looking through
 * nodes that only reshape or convert; else the answer itself. A probability's gradient vanishes
 * where the model is sure, and one class's probability falls when another's score rises.
 */
struct eng_explain_target eng_explain_find_target(const struct eng_model *model);

#endif
