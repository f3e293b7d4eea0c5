/*
 * Attention that a file spells out becomes one operator, which keeps scores in the cache and reads
 * queries, keys and values where they lie. Inference only.
 *
 *     before   MatMul(softmax(MatMul(q, k') + masks), v), where any of q, k' and the first product
 *              may be multiplied by numbers; q, k' and v are Slices, Splits, Gathers, Transposes
 *              and Reshapes of something; the answer is transposed and reshaped
 *     after    eng_op_attention of that something, as often as it is read, and of the masks
 *
 * Nothing else may read the scores. The nodes before it go if nothing else reads them.
 */
#ifndef ENG_GRAPH_ATTENTION_H
#define ENG_GRAPH_ATTENTION_H

#include "graph/rewrite.h"

/* Purpose: the above. Errors: NO_MEMORY. */
enum eng_status eng_find_attention(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
