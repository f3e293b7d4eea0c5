/* Whether a graph computes the samples of a batch side by side, told from its shapes. */
#ifndef ENG_GRAPH_ROWS_H
#define ENG_GRAPH_ROWS_H

#include "graph/plan.h"

/*
 * Purpose: true if every value that depends on a sample has the samples in its first dimension and
 *          every node on the way is known to keep them there (ENG_OP_ROW_WISE and the like). False:
 *          the shapes do not tell.
 * Shapes: symbolic [n_values] as from eng_shape_infer_symbolic; plan: at a batch of two.
 */
bool eng_rows_are_independent(const struct eng_plan *plan, const struct eng_tensor *symbolic);

#endif
