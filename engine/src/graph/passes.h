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

/* Purpose: BatchNormalization with constant parameters after Conv or Gemm goes into their weights.
 */
enum eng_status eng_passes_fold_batchnorm(struct eng_graph *graph, struct eng_error *err);

/* Purpose: an activation whose producer has no other consumer runs in the producer's epilogue. */
enum eng_status eng_passes_fuse_activations(struct eng_graph *graph, struct eng_error *err);

#endif
