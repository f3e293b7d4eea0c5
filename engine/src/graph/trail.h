/* Values that hold another value's elements in another order, and how they come from it. */
#ifndef ENG_GRAPH_TRAIL_H
#define ENG_GRAPH_TRAIL_H

#include "graph/links.h"
#include "graph/rewrite.h"
#include "ops/view.h"

/* values[0] is where a walk began; values[i + 1] lies one node beyond values[i]. */
struct eng_trail {
    int n;
    int values[ENG_VIEW_STEPS + 1];
    double factors[ENG_VIEW_STEPS + 1]; /* back: values[0] is so many times what values[i] shows */
    struct eng_view_step steps[ENG_VIEW_STEPS]; /* in the order of the walk */
};

/* Purpose: from v to what it is cut, transposed, reshaped and, if scales, multiplied from, as far
 * as it goes. */
void eng_trail_back(const struct eng_rewrite *rewrite, const struct eng_links *links, int v,
                    bool scales, struct eng_trail *out);

/* Purpose: from v to what is transposed and reshaped from it, as long as nothing else reads it. */
void eng_trail_on(const struct eng_rewrite *rewrite, const struct eng_links *links, int v,
                  struct eng_trail *out);

/* Purpose: the first n steps of a trail as a chain from the earlier value to the later one. */
struct eng_view_chain eng_trail_chain_back(const struct eng_trail *trail, int n);
struct eng_view_chain eng_trail_chain_on(const struct eng_trail *trail, int n);

#endif
