/* What pooling with channels first and with channels last have in common. */
#ifndef ENG_OPS_POOLING_H
#define ENG_OPS_POOLING_H

#include "ops/op.h"
#include "ops/window.h"

struct eng_pool_attrs {
    int auto_pad;
    bool ceil_mode;
    bool count_include_pad; /* average */
    bool storage_order;     /* max */
    int64_t p;              /* norm */
    struct eng_ints dilations, kernel_shape, pads, strides;
};

/* Purpose: the window over x [N, C, D1 .. Dn]. Errors: those of eng_window_resolve; FORMAT for
 * padding in which a whole window fits. */
enum eng_status eng_pool_resolve(const struct eng_pool_attrs *attrs, const struct eng_shape *x,
                                 struct eng_window *out, struct eng_error *err);

#endif
