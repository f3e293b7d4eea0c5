/* What rewrites ask about a node or value when they look for a pattern. */
#ifndef ENG_GRAPH_PATTERN_H
#define ENG_GRAPH_PATTERN_H

#include "graph/rewrite.h"

#include <string.h>

/* Purpose: whether the node is that ONNX operator. */
static inline bool eng_pattern_is(const struct eng_node *node, const char *name)
{
    return node->op->domain[0] == '\0' && strcmp(node->op->name, name) == 0;
}

/* Purpose: the one float of a constant that leaves x's shape as it is when it meets x. */
bool eng_pattern_number(const struct eng_rewrite *rewrite, int v, int x, double *out);

/* Purpose: the one whole number of a constant of at most one dimension. */
bool eng_pattern_integer(const struct eng_rewrite *rewrite, int v, int64_t *out);

/* Purpose: a whole number among the node's attributes; `normally` if it is left out or the
 * operator's own default. */
int64_t eng_pattern_int(const struct eng_node *node, const char *name, int64_t normally);

#endif
