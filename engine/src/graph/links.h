/* What passes look at: who reads and who makes a value, and a node as infer would see it. */
#ifndef ENG_GRAPH_LINKS_H
#define ENG_GRAPH_LINKS_H

#include "graph/graph.h"

#include <stdbool.h>

/* Made anew for each pass. */
struct eng_links {
    int *uses;     /* [n_values] readers, graph outputs included */
    int *producer; /* [n_values] node index, -1 for inputs and constants */
    int *reader;   /* [n_values] the last node that reads it, -1: none does */
    bool *removed; /* [n_nodes] for the pass to mark */
};

enum eng_status eng_links_init(const struct eng_graph *graph, struct eng_links *links,
                               struct eng_error *err);
void eng_links_fini(struct eng_links *links);

/* Purpose: drops the marked nodes from the graph; links are stale afterwards. */
void eng_links_remove_marked(struct eng_graph *graph, const struct eng_links *links);

/* A node's tensors: data for constants, unknown shapes for computed values. */
struct eng_node_view {
    const struct eng_tensor **in;
    struct eng_tensor **out;
    struct eng_op_infer q;
};

/* Errors: false when out of memory. */
bool eng_node_view_init(struct eng_graph *graph, const struct eng_node *node,
                        struct eng_node_view *view);
void eng_node_view_fini(struct eng_node_view *view);

#endif
