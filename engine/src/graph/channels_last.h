/*
 * Turns networks of convolutions to channels last, [N, height, width, channels], where kernels are
 * fastest. Inference only.
 *
 * The graph is walked once in order. A convolution's output has a twin with channels last; what can
 * work on twins does (pooling, sums, activations, Concat ...), and a Transpose stands where either
 * form is missing. Names, inputs and outputs of the graph stay as they are.
 */
#ifndef ENG_GRAPH_CHANNELS_LAST_H
#define ENG_GRAPH_CHANNELS_LAST_H

#include "graph/rewrite.h"

/* Purpose: rewrites the graph if most of its multiplications gain by it. Errors: NO_MEMORY, LIMIT.
 */
enum eng_status eng_channels_last(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
