/* Rewrites that leave the answers as they are and the graph smaller. Inference only. */
#ifndef ENG_GRAPH_PASSES_H
#define ENG_GRAPH_PASSES_H

#include "graph/graph.h"

/* Purpose: all passes below, in order, then drops values and nodes that nothing reads. */
enum eng_status eng_passes_optimise(struct eng_graph *graph, struct eng_error *err);

/* Purpose: nodes whose inputs are all constant are run once and become constants. */
enum eng_status eng_passes_fold_constants(struct eng_graph *graph, struct eng_error *err);

/* Purpose: removes nodes that do nothing in inference (Identity, Dropout). */
enum eng_status eng_passes_drop_no_ops(struct eng_graph *graph, struct eng_error *err);

/*
 * Purpose: a node that only scales and shifts channels (BatchNormalization) goes into the weights
 * of the Conv or Gemm before it, if that has no other reader. Weights are changed where they stand.
 */
enum eng_status eng_passes_fold_affine(struct eng_graph *graph, struct eng_error *err);

/* Purpose: drops nodes whose outputs nothing reads, and values that nothing mentions; the others
 * get new numbers. */
enum eng_status eng_passes_drop_dead(struct eng_graph *graph, struct eng_error *err);

/* Purpose: drops nodes whose outputs nothing reads. */
enum eng_status eng_passes_drop_dead_nodes(struct eng_graph *graph, struct eng_error *err);

/* Purpose: an activation whose producer has no other consumer runs in the producer's epilogue. */
enum eng_status eng_passes_fuse_activations(struct eng_graph *graph, struct eng_error *err);

#endif
