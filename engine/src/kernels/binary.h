/* Functions of two numbers, a line of elements at a time. */
#ifndef ENG_KERNELS_BINARY_H
#define ENG_KERNELS_BINARY_H

#include "engine/tensor.h"

#include <stddef.h>

enum eng_binary {
    ENG_ADD,
    ENG_SUB,
    ENG_MUL,
    ENG_DIV,       /* of integers: truncated; by 0: 0 */
    ENG_MODULO,    /* of integers, with the sign of b; by 0: 0 */
    ENG_REMAINDER, /* with the sign of a; of integers by 0: 0 */
    ENG_POW,
    ENG_MIN, /* NaN if either is */
    ENG_MAX,
    ENG_PRELU, /* a < 0 ? a b : a */
    ENG_EQUAL, /* these and all below give bool */
    ENG_GREATER,
    ENG_LESS,
    ENG_GREATER_OR_EQUAL,
    ENG_LESS_OR_EQUAL,
    ENG_AND,
    ENG_OR,
    ENG_XOR,
    ENG_N_BINARY,
};

/* n elements; a step is 0 or 1. y may be a if step_a is 1. */
typedef void eng_binary_line(const void *a, size_t step_a, const void *b, size_t step_b, void *y,
                             size_t n);

/* Purpose: the function of two elements of that type; NULL if there is none. Integers wrap around.
 * Any thread. */
eng_binary_line *eng_binary_line_for(enum eng_binary what, enum eng_dtype dtype);

/* Purpose: the type of the result. */
enum eng_dtype eng_binary_result(enum eng_binary what, enum eng_dtype dtype);

/* Purpose: dY/dA or dY/dB of floats; of equals a minimum or maximum follows a. */
float eng_binary_slope(enum eng_binary what, bool is_a, float a, float b);

#endif
