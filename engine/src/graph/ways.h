/* Which ways of computing a rewrite may choose, beyond what shapes say. */
#ifndef ENG_GRAPH_WAYS_H
#define ENG_GRAPH_WAYS_H

#include "kernels/nhwc_tuning.h"

/* A convolution whose way was said. */
struct eng_pin {
    const char *node; /* its name */
    enum eng_nhwc_method method;
    bool is_used; /* there is such a node, and the way can compute it */
};

struct eng_ways {
    bool measures;
    bool bf16; /* products may round to bfloat16 */
    struct eng_nhwc_tuner tuner;
    struct eng_pin *pins;
    size_t n_pins;
};

struct eng_way {
    enum eng_nhwc_method method;
    enum eng_nhwc_reason reason;
};

/*
 * Purpose: the way of the convolution of that name: as pinned, as measured, or as shapes say, which
 * is also what ways NULL means. n_convolutions: of the network; w as in eng_nhwc_conv_pack.
 * Errors: UNSUPPORTED for a pinned way that cannot compute it, naming both; NO_MEMORY.
 */
enum eng_status eng_ways_choose(struct eng_ways *ways, const char *node,
                                const struct eng_nhwc_conv *conv, size_t n_convolutions,
                                const float *w, struct eng_way *out, struct eng_error *err);

/* Purpose: whether every way that was pinned was one that a convolution takes. Errors: FORMAT
 * naming the first that was not. */
enum eng_status eng_ways_check_pins(const struct eng_ways *ways, struct eng_error *err);

#endif
