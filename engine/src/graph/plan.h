/* The memory plan: every value's place in one arena, for one batch size. */
#ifndef ENG_GRAPH_PLAN_H
#define ENG_GRAPH_PLAN_H

#include "graph/graph.h"
#include "graph/shape.h"

enum eng_plan_mode {
    ENG_PLAN_INFERENCE, /* values share memory as soon as they die */
    ENG_PLAN_TRAINING,  /* values live to the end; gradients and `keep` have places too */
};

#define ENG_NO_PLACE ((size_t)-1)

/* Immutable once built; shared by sessions. An offset of ENG_NO_PLACE: not in the arena. */
struct eng_plan {
    struct eng_arena *arena; /* everything below, and the plan itself if it is the caller's */
    struct eng_arena own;
    const struct eng_graph *graph;
    enum eng_plan_mode mode;
    int64_t batch;
    struct eng_tensor *tensors;  /* [n_values] shapes and types; data only for what is known */
    struct eng_node_plan *nodes; /* [n_nodes] */
    int *root;                   /* [n_values] the value whose memory this one shares, or itself */
    size_t *offset;              /* [n_values] bytes into the arena; none for what is known */
    size_t *grad_offset;         /* TRAINING: [n_values]; none where no gradient flows, and of
                                    constants */
    size_t *keep_offset;         /* TRAINING: [n_nodes]; none if keep_bytes is 0 */
    size_t *scratch_offset;      /* [n_nodes] */
    /* Nodes [0, n_apart) run sample by sample with plan `one` in memory of their own
       (graph/apart.h). What they share with the others, and inputs, have places here. */
    const struct eng_plan *one;
    size_t n_apart;
    int *shared; /* [n_shared] values */
    size_t n_shared;
    size_t arena_bytes;
    size_t values_bytes; /* the sum of all values, to compare with arena_bytes */
    double flops;
    double work; /* what limits are measured in */
};

/* Errors: those of eng_shape_infer; LIMIT when the arena would exceed 4 GiB for each
 * sample or 16 GiB; NO_MEMORY. */
enum eng_status eng_plan_create(const struct eng_graph *graph, enum eng_plan_mode mode,
                                int64_t batch, bool override_batch, struct eng_plan **out,
                                struct eng_error *err);
void eng_plan_destroy(struct eng_plan *plan);

/*
 * Purpose: the same for inference, one of a model's many. one: NULL, or the plan for one sample of
 * a graph that computes samples side by side (graph/rows.h finds no mixer); the first nodes then
 * run sample by sample where that is faster.
 * Ownership: lies in arena and ends with it, without eng_plan_destroy; borrows one.
 */
enum eng_status eng_plan_create_in(struct eng_arena *arena, const struct eng_graph *graph,
                                   const struct eng_plan *one, int64_t batch, bool override_batch,
                                   struct eng_plan **out, struct eng_error *err);

#endif
