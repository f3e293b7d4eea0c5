/* Numbers of every type as unsigned integers in the same order, so that ranking knows one type. */
#ifndef ENG_KERNELS_ORDER_H
#define ENG_KERNELS_ORDER_H

#include "engine/tensor.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The bits of a float as a number in the floats' order: those below 0 turned round. */
static inline uint64_t eng_order_bits(uint64_t bits, uint64_t sign)
{
    return bits & sign ? sign - 1 - (bits & (sign - 1)) : bits | sign;
}

static inline uint64_t eng_order_float(float x)
{
    uint32_t bits;
    x += 0; /* -0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    return isnan(x) ? UINT64_MAX : eng_order_bits(bits, UINT64_C(1) << 31);
}

static inline uint64_t eng_order_double(double x)
{
    uint64_t bits;
    x += 0;
    memcpy(&bits, &x, sizeof bits);
    return isnan(x) ? UINT64_MAX : eng_order_bits(bits, UINT64_C(1) << 63);
}

static inline uint64_t eng_order_signed(int64_t x)
{
    return (uint64_t)x ^ UINT64_C(1) << 63;
}

/* Purpose: element i's place in the order of its type: equal for equal numbers, NaN above all.
 * 0 for a type that is no number. */
static inline __attribute__((always_inline)) uint64_t eng_order_key(const enum eng_dtype dtype,
                                                                    const void *x, size_t i)
{
    switch (dtype) {
    case ENG_FLOAT32:
        return eng_order_float(((const float *)x)[i]);
    case ENG_FLOAT64:
        return eng_order_double(((const double *)x)[i]);
    case ENG_INT8:
        return eng_order_signed(((const int8_t *)x)[i]);
    case ENG_INT16:
        return eng_order_signed(((const int16_t *)x)[i]);
    case ENG_INT32:
        return eng_order_signed(((const int32_t *)x)[i]);
    case ENG_INT64:
        return eng_order_signed(((const int64_t *)x)[i]);
    case ENG_UINT8:
    case ENG_BOOL:
        return ((const uint8_t *)x)[i];
    case ENG_UINT16:
        return ((const uint16_t *)x)[i];
    case ENG_UINT32:
        return ((const uint32_t *)x)[i];
    case ENG_UINT64:
        return ((const uint64_t *)x)[i];
    case ENG_DTYPE_NONE:
    case ENG_FLOAT16:
        break;
    }
    return 0;
}

#endif
