/*
 * What the rewrites for inference work on: a borrowed graph and the shapes of its values. Values
 * keep their numbers; new ones are added behind them. Names, inputs and outputs stay.
 */
#ifndef ENG_GRAPH_REWRITE_H
#define ENG_GRAPH_REWRITE_H

#include "graph/graph.h"
#include "graph/ways.h"

struct eng_rewrite {
    struct eng_graph *graph;
    struct eng_tensor
        *shapes; /* [graph->n_values] the first dimension may be -1; moves as it grows */
    size_t capacity;
    size_t spare_floats; /* what may still be spent on packing more than there is */
    /* How plans will be made of it; the caller's to set. */
    bool override_batch;            /* as eng_plan_create takes it */
    bool one_sample;                /* for a batch of 1 alone */
    const struct eng_memory *spare; /* constants here need not last; NULL: all must */
    struct eng_ways *ways;          /* NULL: as shapes say */
};

/* Errors of all: NO_MEMORY, LIMIT. */

/* Purpose: out, initialised and empty, becomes a copy of from that borrows from it. Shapes: shapes
 * [from->n_values] as eng_shape_infer_symbolic gives them; copied. */
enum eng_status eng_rewrite_begin(struct eng_rewrite *rewrite, const struct eng_graph *from,
                                  const struct eng_tensor *shapes, struct eng_graph *out,
                                  struct eng_error *err);
/* Purpose: frees the shapes; the graph stays. */
void eng_rewrite_end(struct eng_rewrite *rewrite);

/* Purpose: a value that a new node is to compute, named after value `like`. */
enum eng_status eng_rewrite_add_computed(struct eng_rewrite *rewrite, int like, const char *suffix,
                                         const struct eng_shape *shape, int *out,
                                         struct eng_error *err);

/* Purpose: a constant, copied, named after value `like`. */
enum eng_status eng_rewrite_add_constant(struct eng_rewrite *rewrite, int like, const char *suffix,
                                         const struct eng_tensor *tensor, int *out,
                                         struct eng_error *err);

/* Purpose: zeros that take the place of constant `like`, arranged as a kernel wants them, for the
 * caller to fill: of the type and shape of `what`, or floats. */
enum eng_status eng_rewrite_add_packed(struct eng_rewrite *rewrite, int like,
                                       const struct eng_tensor *what, int *out, void **data,
                                       struct eng_error *err);
enum eng_status eng_rewrite_add_floats(struct eng_rewrite *rewrite, int like,
                                       const struct eng_shape *shape, int *out, float **data,
                                       struct eng_error *err);

/* Purpose: another operator in a node's place, without an activation; name, outputs and position
 * stay. attrs: n_attrs of the operator's. in is copied. */
enum eng_status eng_rewrite_node(struct eng_rewrite *rewrite, struct eng_node *node,
                                 const char *op_type, int opset, const struct eng_attr *attrs,
                                 size_t n_attrs, const int *in, size_t n_in, struct eng_error *err);

/* Purpose: whether n floats may be packed of constant `like`: four times what it holds if it has
 * one reader, else what the rewrites have to spare, 64 MiB. Many nodes may read one large constant,
 * and a file of a kilobyte can make one. */
bool eng_rewrite_affords(struct eng_rewrite *rewrite, int like, int n_readers, size_t n);

/* Purpose: the bytes at `at` of constant v, which has uses[v] readers, have been packed for the
 * last of them: their memory may go before the rest's. */
void eng_rewrite_forget(struct eng_rewrite *rewrite, const int *uses, int v, const void *at,
                        size_t n_bytes);

/* Purpose: a constant has one reader less of uses[v]; after the last one only its packed form
 * counts, and its memory may go at once. */
void eng_rewrite_let_go(struct eng_rewrite *rewrite, int *uses, int v);

#endif
