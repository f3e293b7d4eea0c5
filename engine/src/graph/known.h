/* Values that are known before the graph runs, and nodes that are therefore run while planning. */
#ifndef ENG_GRAPH_KNOWN_H
#define ENG_GRAPH_KNOWN_H

#include "graph/graph.h"

struct eng_node_plan;

/* Purpose: where the data of a value point that was known in a walk and is not needed after it: not
 * to be read. */
void *eng_known_forgotten(void);

/* The state of one walk over a graph. */
struct eng_known {
    /* [n_values] training writes into this constant, so it is not known. NULL: into none. */
    bool *changes;
    size_t left_bytes; /* what may still be spent */
    double left_work;
};

/* Purpose: before the first node. Ownership: arena holds the tables. Errors: NO_MEMORY. */
enum eng_status eng_known_init(struct eng_known *known, const struct eng_graph *graph,
                               bool training, struct eng_arena *arena, struct eng_error *err);

/* Purpose: whether the values of a node's inputs tell those of its outputs before the graph runs.
 */
bool eng_known_inputs(const struct eng_known *known, const struct eng_node *node,
                      const struct eng_tensor *const *in);

/*
 * Purpose: runs a node that has been inferred if all its inputs are known, or if its answer depends
 *          on their shapes only (ENG_OP_SHAPE_ONLY). Its outputs then have data, in arena, and
 *          plan->is_known is set. A node is left to run later if its outputs take more than 1 MiB,
 *          if it keeps something for backward, or when a walk has spent 16 MiB or 1e8 operations.
 * Shapes: q as infer left it; its outputs are tensors of the walk. Errors: NO_MEMORY.
 */
enum eng_status eng_known_run(struct eng_known *known, const struct eng_node *node,
                              const struct eng_op_infer *q, struct eng_arena *arena,
                              struct eng_node_plan *plan, struct eng_error *err);

#endif
