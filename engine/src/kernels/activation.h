/* Functions of one number, elementwise; a kernel can apply them in its epilogue. */
#ifndef ENG_KERNELS_ACTIVATION_H
#define ENG_KERNELS_ACTIVATION_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* activation.def has the formulas. */
enum eng_activation_kind {
    ENG_ACT_NONE,
#define ACTIVATION(kind, name, value, slope) ENG_ACT_##kind,
#include "kernels/activation.def"
#undef ACTIVATION
    ENG_N_ACTIVATIONS,
};

struct eng_activation {
    enum eng_activation_kind kind;
    float a, b;
};

/* Purpose: the ONNX operator of that kind; NULL for ENG_ACT_NONE. */
const char *eng_activation_name(enum eng_activation_kind kind);

/* Purpose: whether there is such a function of elements of that type. All take float and double;
 * Abs, Sign, Erf and (signed) Relu, Neg integers too. */
bool eng_activation_takes(enum eng_activation_kind kind, enum eng_dtype dtype);

/* Purpose: y[i] = f(x[i]); x == y is allowed. Element i depends on x[i] alone, to the last bit. */
void eng_activation_forward(struct eng_activation act, const float *x, float *y, size_t n);

/* Purpose: the same, spread over pool when n is large. */
void eng_activation_map(struct eng_activation act, const float *x, float *y, size_t n,
                        struct eng_pool *pool);

/* Purpose: the same for any type that eng_activation_takes; without a bound that the parameters
 * would have to round to float, integers wrap around. */
void eng_activation_map_typed(struct eng_activation act, enum eng_dtype dtype, const void *x,
                              void *y, size_t n, struct eng_pool *pool);

/* Purpose: dx[i] += dy[i] f'(x[i]), or = if write; y = f(x). */
void eng_activation_backward(struct eng_activation act, const float *x, const float *y,
                             const float *dy, float *dx, bool write, size_t n);

#endif
