/*
 * Exporters write into the graph how shapes follow from other shapes. What of that is the same for
 * every batch becomes a constant, so that passes see it and nothing reads a value for its shape.
 *
 *     before   Slice(x, starts) where starts = Mul(Gather(Shape(y), 2), 1); Reshape(x, shape) where
 *              shape = Concat(Gather(Shape(y), 0), 197, 768)
 *     after    Slice(x, constant); Reshape(x, [-1, 197, 768])
 *
 * A value counts as the same for every batch if it is for 2 and for 3, as a dimension does in
 * eng_shape_infer_symbolic.
 */
#ifndef ENG_GRAPH_SETTLE_SHAPES_H
#define ENG_GRAPH_SETTLE_SHAPES_H

#include "graph/rewrite.h"

/* Purpose: the above; nodes that nothing reads any more go. Errors: NO_MEMORY, LIMIT. */
enum eng_status eng_settle_shapes(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
