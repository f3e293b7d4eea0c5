#include "base/half.h"

#include <math.h>
#include <string.h>

enum {
    HALF_EXPONENT_MAX = 31,
    HALF_FRACTION_BITS = 10,
    FLOAT_FRACTION_BITS = 23,
    BIAS_DIFFERENCE = 127 - 15
};

float eng_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = half >> HALF_FRACTION_BITS & HALF_EXPONENT_MAX;
    uint32_t fraction = half & ((1U << HALF_FRACTION_BITS) - 1);
    if (exponent == 0) { /* zero and subnormals: fraction x 2^-24, exact in a float */
        float magnitude = (float)fraction * 0x1p-24F;
        return sign ? -magnitude : magnitude;
    }
    exponent = exponent == HALF_EXPONENT_MAX ? 255 : exponent + BIAS_DIFFERENCE;
    uint32_t bits = sign | exponent << FLOAT_FRACTION_BITS |
                    fraction << (FLOAT_FRACTION_BITS - HALF_FRACTION_BITS);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float eng_half_round(float x)
{
    enum { DROPPED_BITS = FLOAT_FRACTION_BITS - HALF_FRACTION_BITS };
    float magnitude = fabsf(x);
    if (isnan(x) || isinf(x)) return x;
    if (magnitude >= 65520) return copysignf(INFINITY, x);
    if (magnitude < 0x1p-14F) return copysignf(rintf(magnitude * 0x1p24F) * 0x1p-24F, x);
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits += (1U << (DROPPED_BITS - 1)) - 1 + (bits >> DROPPED_BITS & 1);
    bits &= ~((1U << DROPPED_BITS) - 1);
    memcpy(&x, &bits, sizeof x);
    return x;
}
