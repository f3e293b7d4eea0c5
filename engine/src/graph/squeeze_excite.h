/*
 * Squeeze and excitation, while a graph is turned to channels last: means of channels are taken
 * where a depthwise convolution makes them, and factors of channels go into the next convolution's
 * weights.
 *
 *     before   y = Conv(x), depthwise; m = GlobalAveragePool(y); g = f(m); Conv(Mul(y, g), W), 1x1
 *     after    y, m = Conv(x); g = f(m); Conv(y, W, factors g)
 *
 * Two passes over the picture less: of as many numbers as the convolutions themselves read.
 */
#ifndef ENG_GRAPH_SQUEEZE_EXCITE_H
#define ENG_GRAPH_SQUEEZE_EXCITE_H

#include "graph/turn.h"
#include "ops/nhwc.h"

/* Purpose: GlobalAveragePool becomes the second output of the depthwise convolution that makes what
 * it reads. *done is false if none does. Errors: NO_MEMORY, LIMIT. */
enum eng_status eng_squeeze(struct eng_turn *w, const struct eng_node *node, bool *done,
                            struct eng_error *err);

/*
 * Purpose: if x, read by this convolution alone, is the last new node's product of a picture with
 *          factors of its channels, takes that node away: *picture and *factors are what it
 *          multiplied. Else both are none. Only where the picture has more pixels than it costs to
 *          multiply the weights.
 */
void eng_excite(struct eng_turn *w, int x, const struct eng_nhwc_conv *conv, int *picture,
                int *factors);

#endif
