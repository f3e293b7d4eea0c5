/* A part of a model's graph that can be planned by itself. */
#ifndef ENG_EXPLAIN_CUT_H
#define ENG_EXPLAIN_CUT_H

#include "graph/graph.h"

/*
 * Purpose: the nodes that the outputs depend on, with these values as the only outputs.
 * differentiable: activations that a pass fused into other nodes are nodes again, for only as such
 *                 have they a gradient.
 * Ownership: out borrows constants, attributes and names of from; end with eng_graph_fini in any
 *            case. Values have other numbers in it, and the same names: eng_graph_find.
 * Errors: LIMIT, NO_MEMORY.
 */
enum eng_status eng_explain_cut(const struct eng_graph *from, const int *outputs, size_t n_outputs,
                                bool differentiable, struct eng_graph *out, struct eng_error *err);

#endif
