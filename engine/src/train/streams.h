/* Which random numbers belong to what, so that no draw depends on the order of work or on threads.
 */
#ifndef ENG_TRAIN_STREAMS_H
#define ENG_TRAIN_STREAMS_H

#include "base/rng.h"

#include <stdint.h>

enum eng_stream {
    ENG_STREAM_INIT,    /* a: parameter */
    ENG_STREAM_SHUFFLE, /* a: epoch */
    ENG_STREAM_AUGMENT, /* a: epoch, b: sample */
    ENG_STREAM_DROPOUT, /* a: epoch, b: step x shards + shard */
    ENG_STREAM_MIRROR,  /* b: sample */
    ENG_STREAM_MIXUP,   /* a: epoch, b: step x shards + shard */
    ENG_STREAM_SPLIT,   /* a: class, or 0: which samples are the test set */
    ENG_STREAM_TOY,     /* a: split */
    ENG_STREAM_VALIDATION,
};

/* Purpose: the generator of that purpose; a below 2^24, b below 2^32. */
static inline struct eng_rng eng_stream_rng(uint64_t seed, enum eng_stream purpose, uint64_t a,
                                            uint64_t b)
{
    struct eng_rng rng;
    eng_rng_init(&rng, seed, (uint64_t)purpose << 56 | a << 32 | b);
    return rng;
}

#endif
