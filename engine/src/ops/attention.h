/*
 * Attention of many heads. No file can name it: a pass puts it in the place of the operators that
 * spell it out (graph/attention.h), for inference alone.
 */
#ifndef ENG_OPS_ATTENTION_H
#define ENG_OPS_ATTENTION_H

#include "kernels/attention.h"
#include "ops/op.h"
#include "ops/view.h"

/* Q, K, V, up to two masks or none. */
extern const struct eng_op eng_op_attention;

/* The scores' dimensions before the last two, where a mask is added; one may be -1. */
struct eng_attention_levels {
    int rank;
    int64_t dim[ENG_MAX_RANK];
};

struct eng_attention_attrs {
    /* From Q to [.., queries, depth], from K to [.., keys, depth], from V to [.., keys, width], and
     * from [.., queries, width] to Y. */
    struct eng_view_chain q, k, v, y;
    struct eng_attention_levels levels[ENG_ATTENTION_MASKS];
    double scale;
};

/* Purpose: where a view [.., rows, numbers] has its rows. False: their numbers are not side by
 * side, or rows are not evenly apart. */
bool eng_attention_place(const struct eng_view *view, struct eng_attention_place *out);

#endif
