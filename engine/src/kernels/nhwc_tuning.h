/* Choosing a way of convolving with channels last by measuring. */
#ifndef ENG_KERNELS_NHWC_TUNING_H
#define ENG_KERNELS_NHWC_TUNING_H

#include "engine/tuning.h"
#include "kernels/nhwc_conv.h"

/* Shared by the layers of one model. */
struct eng_nhwc_tuner {
    struct eng_tuning_cache *cache; /* NULL: none */
    double budget_s;                /* what measuring may still take; then shapes decide */
};

/* Purpose: of how many ways eng_nhwc_conv_measure may choose. */
size_t eng_nhwc_conv_n_ways(const struct eng_nhwc_conv *conv, size_t n_convolutions);

/*
 * Purpose: the way that takes least time for one picture on one thread, of those whose rounding a
 * network of so many convolutions bears. conv->method is what shapes say; another must be faster by
 * more than two measurements may differ. w as in eng_nhwc_conv_pack.
 * Errors: NO_MEMORY, and then *out stays.
 * Threads: any, with a tuner each. Cost: at most some 20 ms a way, or one run of it.
 */
enum eng_status eng_nhwc_conv_measure(const struct eng_nhwc_conv *conv, size_t n_convolutions,
                                      const float *w, struct eng_nhwc_tuner *tuner,
                                      enum eng_nhwc_method *out, struct eng_error *err);

#endif
