/* Letting a graph that was exported for one sample take several. */
#ifndef ENG_GRAPH_BATCH_H
#define ENG_GRAPH_BATCH_H

#include "graph/graph.h"

/*
 * Purpose: finds the constants that say "one sample" where a shape is made (the 1 of Reshape's
 *          [1, -1]) or that stand beside one sample's rows (a class token that is joined to it),
 *          and gives each such reader a copy that follows the batch. Other readers, and a batch of
 *          one, see what the file says.
 * n_found: how many there were. That the graph then computes each sample by itself is not checked.
 * Errors: NO_MEMORY. A graph that cannot be inferred is left for eng_shape_infer to refuse.
 */
enum eng_status eng_batch_follow(struct eng_graph *graph, size_t *n_found, struct eng_error *err);

#endif
