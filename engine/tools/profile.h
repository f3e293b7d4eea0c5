/* Where a model's time goes, node by node. */
#ifndef TOOLS_PROFILE_H
#define TOOLS_PROFILE_H

#include "json.h"
#include "measure.h"

/* Of one run. */
struct tool_cost {
    double ms;    /* the median of the runs */
    double flops; /* multiply-adds x 2 */
    double bytes; /* inputs and outputs, each once: the least that has to be moved */
};

enum { TOOL_ALGORITHM_SIZE = 96 };

struct tool_node_cost {
    const struct eng_node *node;
    char algorithm[TOOL_ALGORITHM_SIZE]; /* empty: the operator knows one way only */
    struct tool_cost cost;
};

/* Nodes of one operator and algorithm. */
struct tool_kind_cost {
    const struct tool_node_cost *first;
    size_t n_nodes;
    struct tool_cost cost;
};

struct tool_profile {
    size_t n_runs;
    size_t n_nodes, n_kinds;
    struct tool_node_cost *nodes; /* [n_nodes] in the order in which they run */
    struct tool_kind_cost *kinds; /* [n_kinds] the slowest first */
    double ms;                    /* the sum over the nodes */
};

/*
 * Purpose: runs until seconds have passed, a thousand times at most, and times every node: in CPU
 * time, which other load on the machine hardly changes, or, if there are helpers, as time passes.
 * Ownership: end with tool_profile_fini; borrows the bench's model. Errors: NO_MEMORY.
 */
enum eng_status tool_profile_init(struct tool_bench *bench, double seconds,
                                  struct tool_profile *out, struct eng_error *err);
void tool_profile_fini(struct tool_profile *profile);

/* Purpose: prints nodes and kinds to stdout. */
void tool_profile_print(const struct tool_profile *profile);

/* Purpose: the same as an object. New reference; NULL when out of memory or a name is not UTF-8. */
json_t *tool_profile_json(const struct tool_profile *profile);

#endif
