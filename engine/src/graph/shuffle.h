/*
 * Shuffled channels, which exporters write as shapes, become one node:
 *
 *     before   Reshape(x, [N, groups, C / groups, H, W]), Transpose(0, 2, 1, 3, 4), Reshape(, [N,
 * C, H, W]) after    ChannelShuffle(x)
 *
 * Slices of channels of it are made each by a node of its own where nothing else reads it, and
 * where two groups come from a Concat of them alone, they are read where they are.
 */
#ifndef ENG_GRAPH_SHUFFLE_H
#define ENG_GRAPH_SHUFFLE_H

#include "graph/rewrite.h"

/* Purpose: the above, for pictures of type float. Errors: NO_MEMORY. */
enum eng_status eng_shuffle(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
