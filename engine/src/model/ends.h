/* What the first and last nodes of a graph tell of its pixels and its answers. */
#ifndef ENG_MODEL_ENDS_H
#define ENG_MODEL_ENDS_H

#include "graph/graph.h"

enum eng_answers {
    ENG_ANSWERS_SCORES,        /* nothing tells more: a softmax is to be added */
    ENG_ANSWERS_LOGARITHMS,    /* of probabilities, from a LogSoftmax: a softmax undoes it */
    ENG_ANSWERS_PROBABILITIES, /* of which one is right: they sum to 1 */
    ENG_ANSWERS_INDEPENDENT,   /* each its own, from a Sigmoid */
};

/* Purpose: what an output holds, looking through nodes that only reshape or convert. */
enum eng_answers eng_ends_answers(const struct eng_graph *graph, int output);

enum eng_pixels {
    ENG_PIXELS_UNKNOWN,
    ENG_PIXELS_ZERO_255, /* the graph itself divides by 255, or subtracts a mean of such pixels */
    ENG_PIXELS_ZERO_ONE, /* the graph itself subtracts a mean of pixels of 0 to 1 */
};

/* Purpose: which pixels an input wants, if its first arithmetic shows that. Never a guess for a
 * graph whose first node has weights. */
enum eng_pixels eng_ends_pixels(const struct eng_graph *graph, int input);

#endif
