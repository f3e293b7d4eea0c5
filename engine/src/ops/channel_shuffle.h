/* Channels of pictures taken in turns from groups. No file can name it: graph/shuffle.h finds it.
 */
#ifndef ENG_OPS_CHANNEL_SHUFFLE_H
#define ENG_OPS_CHANNEL_SHUFFLE_H

#include "ops/op.h"

/* X [N, C, H, W], or two pictures that hold a group each; Y [N, count, H, W]. */
extern const struct eng_op eng_op_channel_shuffle;

struct eng_channel_shuffle_attrs {
    int64_t groups;
    int64_t first, count; /* the channels of the result that are wanted */
    bool last;            /* pictures are [N, H, W, C] */
};

#endif
