/* Which nodes of a training plan do the next one's work. */
#ifndef ENG_GRAPH_FUSE_TRAINING_H
#define ENG_GRAPH_FUSE_TRAINING_H

#include "graph/graph.h"
#include "graph/shape.h"

/*
 * Purpose: lets an operator that TRAINS_RELU apply the ReLU that alone reads it: sets its
 * activation and the ReLU's is_fused. Two passes over memory fewer, forward and backward; the graph
 * stays as it is, so that it can be written as it was built. Errors: NO_MEMORY.
 */
enum eng_status eng_fuse_training(const struct eng_graph *graph, const struct eng_tensor *tensors,
                                  struct eng_node_plan *nodes, struct eng_error *err);

#endif
