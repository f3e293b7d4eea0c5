/* Whether a graph computes the samples of a batch side by side, told from operators and shapes. */
#ifndef ENG_GRAPH_ROWS_H
#define ENG_GRAPH_ROWS_H

#include "graph/plan.h"

/*
 * Purpose: follows the axis along which samples lie from the inputs' first dimensions through every
 *          node (op->follow) to the outputs. *mixer is the first node that may mix them, n_nodes if
 *          none does and every output has them in its first dimension: then each sample's answer is
 *          its own. A node behind which they only lie elsewhere is no mixer, but the last one then
 *          stands for it.
 * Shapes: plans of one graph for one sample and for two. Errors: NO_MEMORY. Cost: a look at every
 * node.
 */
enum eng_status eng_rows_find_mixer(const struct eng_plan *one, const struct eng_plan *two,
                                    size_t *mixer, struct eng_error *err);

#endif
