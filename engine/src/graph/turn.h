/* The walk over a graph that gives pictures a form with channels last, for the rewrites that do. */
#ifndef ENG_GRAPH_TURN_H
#define ENG_GRAPH_TURN_H

#include "graph/rewrite.h"

/* The walk: nodes go from the old list to the new one. */
struct eng_turn {
    struct eng_rewrite *rewrite;
    struct eng_graph *graph;         /* the rewrite's */
    const struct eng_tensor *shapes; /* the rewrite's */
    size_t n_old;
    int *uses;             /* [n_old] */
    int *twin;             /* [n_old] the value with channels last, or none */
    int *plain;            /* [n_old] the value itself, one that equals it, or none yet */
    int *turned;           /* [n_old] a constant with channels last, or none yet */
    size_t n_convolutions; /* of the whole graph */
    size_t growth_floats;  /* by which Winograd's weights may still exceed the file's */
    struct eng_node *nodes;
    size_t n_nodes, capacity;
    int *producer; /* [values] index of the new node, or -1 */
    size_t n_producers;
};

/* The orders of Transpose. */
extern const int64_t eng_to_last[4], eng_to_first[4];

/* Errors of all: NO_MEMORY, LIMIT. */

/* Purpose: starts a walk in which no computed value has any form yet. Ended by eng_turn_end, also
 * if it fails. */
enum eng_status eng_turn_begin(struct eng_turn *w, struct eng_rewrite *rewrite,
                               struct eng_error *err);

/* Purpose: makes the graph's outputs and puts the new nodes in the place of the old ones. */
enum eng_status eng_turn_finish(struct eng_turn *w, struct eng_error *err);

/* Purpose: frees the walk. */
void eng_turn_end(struct eng_turn *w);

/* Purpose: appends a node as it is; its inputs get their plain form. */
enum eng_status eng_turn_keep(struct eng_turn *w, const struct eng_node *node,
                              struct eng_error *err);

/* Purpose: a value in the shape that `like` has with channels last. */
enum eng_status eng_turn_add_twin(struct eng_turn *w, int like, int *out, struct eng_error *err);

/* Purpose: zeros that take the place of constant `like`, for the caller to fill. */
enum eng_status eng_turn_add_floats(struct eng_turn *w, int like, const struct eng_shape *shape,
                                    int *out, float **data, struct eng_error *err);

/* Purpose: eng_rewrite_affords and eng_rewrite_let_go. */
bool eng_turn_affords(struct eng_turn *w, int like, size_t n);
void eng_turn_let_go(struct eng_turn *w, int v);

/* Purpose: value v is made by the new node of that index; -1: by none. False: out of memory. */
bool eng_turn_note_producer(struct eng_turn *w, int v, int node);

/* Purpose: appends to the new nodes. */
enum eng_status eng_turn_push(struct eng_turn *w, const struct eng_node *node,
                              struct eng_error *err);

/* Purpose: appends `like` on twins: inputs as given, the twin of its output new. */
enum eng_status eng_turn_push_twin(struct eng_turn *w, const struct eng_node *like, const int *in,
                                   size_t n_in, struct eng_error *err);

/* Purpose: the same where the output has one form only, the plain one. */
enum eng_status eng_turn_push_plain(struct eng_turn *w, const struct eng_node *like, const int *in,
                                    size_t n_in, struct eng_error *err);

/* Purpose: attributes of its own for the node, one whole number among them another. */
enum eng_status eng_turn_set_attribute(struct eng_turn *w, struct eng_node *node, const char *name,
                                       int64_t value, struct eng_error *err);

/* Purpose: puts a Transpose where w->twin[v], or w->plain[v], is not there yet. */
enum eng_status eng_turn_need_twin(struct eng_turn *w, int v, struct eng_error *err);
enum eng_status eng_turn_need_plain(struct eng_turn *w, int v, struct eng_error *err);

#endif
