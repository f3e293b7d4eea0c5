/*
 * Running the first nodes of a batch's plan sample by sample. A network of pictures makes values
 * that shrink from node to node, while its weights grow. Those of a whole batch leave the caches at
 * once, those of one sample do not: up to some node it is faster to take the samples one after the
 * other, though weights are read again for each; and threads that take one sample each need not
 * wait for each other at every node. The answers are those of a batch, to the last bit.
 */
#ifndef ENG_GRAPH_APART_H
#define ENG_GRAPH_APART_H

#include "graph/plan.h"

/*
 * Purpose: sets plan->n_apart, and what goes with it, where that moves less memory. Only values
 * that have a row for each sample may lead from the first nodes to the others. Shapes: plan and one
 * are plans of one graph, one for a single sample; plan's shapes are there, its places not yet. The
 * graph computes samples side by side (graph/rows.h finds no mixer). Ownership: plan borrows one.
 * Errors: NO_MEMORY.
 */
enum eng_status eng_apart_choose(struct eng_plan *plan, const struct eng_plan *one,
                                 struct eng_error *err);

#endif
