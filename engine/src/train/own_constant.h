/*
 * Constants that several nodes of a file read. Where they are weights that all of them train, the
 * layers are tied: one tensor, whose gradient is the sum of theirs. Anything else that is shared is
 * only an exporter's thrift, and a node for which it would change gets a copy of its own.
 */
#ifndef ENG_TRAIN_OWN_CONSTANT_H
#define ENG_TRAIN_OWN_CONSTANT_H

#include "graph/links.h"

/*
 * Purpose: if others read it too, input k of the node, a constant, becomes a copy that nobody else
 *          reads, called "<constant>.<node>". links->uses keeps count; it does not grow, so it is
 *          not to be asked about the copy.
 * Errors: NO_MEMORY, LIMIT. Pointers to graph->values are stale afterwards.
 */
enum eng_status eng_constant_own(struct eng_graph *graph, struct eng_links *links, size_t node,
                                 size_t k, struct eng_error *err);

/*
 * Purpose: parts what is not tied: running statistics become each node's own, and what one node
 *          trains and another only reads is two constants. Nodes that are frozen train nothing.
 * Errors: NO_MEMORY, LIMIT.
 */
enum eng_status eng_constants_part(struct eng_graph *graph, struct eng_error *err);

#endif
