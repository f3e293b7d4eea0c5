/* Shape inference over a whole graph, at one batch size. */
#ifndef ENG_GRAPH_SHAPE_H
#define ENG_GRAPH_SHAPE_H

#include "graph/graph.h"
#include "graph/known.h"

/* How a node looks at one batch size: what infer answered. */
struct eng_node_plan {
    void *state; /* NULL if is_known */
    size_t scratch_bytes;
    size_t keep_bytes;
    double flops;
    double work;   /* eng_op_work; 0 if is_known */
    bool is_empty; /* no output has an element: there is nothing to run */
    bool is_known; /* it was run while planning; its outputs have data */
    bool is_fused; /* the node before does its work: output 0 is input 0's memory */
    struct eng_activation activation; /* what the operator applies to output 0 itself */
};

/* Purpose: true if none of the outputs (NULL: not wanted) has an element. Their loops could still
 * be long: a dimension of 0 says nothing about the others. */
bool eng_outputs_are_empty(struct eng_tensor *const *out, size_t n_out);

/*
 * Purpose: infers every value at this batch size, and computes those that follow from constants and
 *          shapes alone (graph/known.h).
 * Shapes: tensors [n_values] (data set for what is known, else NULL; of what no node reads that is
 * not known itself, and no output is, eng_known_forgotten()), nodes [n_nodes]; a symbolic
 * first dimension of an input becomes `batch`; override_batch also replaces a declared first
 *         dimension of 1, and then constants that follow the batch do. States and what was computed
 *         are allocated in arena.
 * Errors: what the operators' infer says, with "node 'name' (Op): " before it; UNSUPPORTED for
 * another symbolic dimension of an input; LIMIT for a value of more than 1 GiB for each sample.
 */
enum eng_status eng_shape_infer(const struct eng_graph *graph, int64_t batch, bool override_batch,
                                bool training, struct eng_arena *arena, struct eng_tensor *tensors,
                                struct eng_node_plan *nodes, struct eng_error *err);

/*
 * eng_shape_infer in steps, for whoever changes the graph on the way. All but known is the caller's
 * to set; tensors has room for the values that may be added.
 */
struct eng_shape_walk {
    const struct eng_graph *graph;
    int64_t batch;
    bool override_batch, training;
    struct eng_arena *arena;
    struct eng_arena *passing; /* for what is not needed afterwards; NULL: arena */
    struct eng_tensor *tensors;
    struct eng_known known;
};

/* Purpose: sets the tensors of all values that no node computes. */
enum eng_status eng_shape_walk_begin(struct eng_shape_walk *walk, struct eng_error *err);

/* Purpose: sets the tensor of one such value at the walk's batch size. */
enum eng_status eng_shape_walk_value(const struct eng_shape_walk *walk, size_t v,
                                     struct eng_error *err);

/* Purpose: the next node, or one before it once more. */
enum eng_status eng_shape_walk_node(struct eng_shape_walk *walk, size_t i,
                                    struct eng_node_plan *plan, struct eng_error *err);

/*
 * Purpose: infers node i of a graph that is being built, from the tensors that one sample gives
 *          its inputs; sets those of its outputs. Nothing is computed. The rest is as above.
 */
enum eng_status eng_shape_infer_node(const struct eng_graph *graph, size_t i, bool training,
                                     struct eng_arena *arena, struct eng_tensor *tensors,
                                     struct eng_node_plan *plan, struct eng_error *err);

/*
 * Purpose: the shapes of all values with -1 where a dimension follows the batch: what differs
 * between two batch sizes does. Shapes: tensors [n_values], data for constants only. Errors: those
 * of eng_shape_infer.
 */
enum eng_status eng_shape_infer_symbolic(const struct eng_graph *graph, bool override_batch,
                                         struct eng_tensor *tensors, struct eng_error *err);

#endif
