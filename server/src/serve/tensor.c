#include "serve/tensor.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are copied as they came");

size_t srv_tensor_bytes(enum eng_dtype dtype)
{
    return dtype == ENG_BOOL ? 0 : eng_dtype_bytes(dtype);
}

/* IEEE 754 binary16. */
static float half_to_float(uint16_t half)
{
    uint32_t exponent = (half >> 10) & 31, fraction = half & 0x3FFu;
    float value = (float)fraction * 0x1p-24f; /* exponent 0: subnormal */
    if (exponent > 0) {
        uint32_t bits = (exponent == 31 ? 0x7F800000u : (exponent + 112) << 23) | fraction << 13;
        memcpy(&value, &bits, sizeof value);
    }
    return half & 0x8000 ? -value : value;
}

#define READ(type)                                              \
    for (size_t i = 0; i < n; i++) {                            \
        type value;                                             \
        memcpy(&value, bytes + i * sizeof value, sizeof value); \
        to[i] = (float)value;                                   \
    }                                                           \
    break

void srv_tensor_read(enum eng_dtype dtype, const void *from, size_t n, float *to)
{
    const char *bytes = from;
    switch (dtype) {
    case ENG_FLOAT32:
        memcpy(to, from, n * sizeof *to);
        break;
    case ENG_FLOAT16:
        for (size_t i = 0; i < n; i++) {
            uint16_t half;
            memcpy(&half, bytes + i * sizeof half, sizeof half);
            to[i] = half_to_float(half);
        }
        break;
    case ENG_FLOAT64:
        READ(double);
    case ENG_UINT8:
        READ(uint8_t);
    case ENG_INT8:
        READ(int8_t);
    case ENG_UINT16:
        READ(uint16_t);
    case ENG_INT16:
        READ(int16_t);
    case ENG_UINT32:
        READ(uint32_t);
    case ENG_INT32:
        READ(int32_t);
    case ENG_UINT64:
        READ(uint64_t);
    case ENG_INT64:
        READ(int64_t);
    default:
        assert(!"a type that srv_tensor_bytes takes");
    }
}

static bool is_bad(float value, bool wants_bytes)
{
    if (!wants_bytes) return !isfinite(value);
    return !(value >= 0 && value <= 255 && value == truncf(value));
}

/* Without a branch inside, so that the compiler takes several at a time. */
static bool all_finite(const float *values, size_t n)
{
    unsigned n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        n_bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return n_bad == 0;
}

size_t srv_tensor_find_bad(const float *values, size_t n, bool wants_bytes)
{
    if (!wants_bytes && all_finite(values, n)) return n;
    size_t i = 0;
    while (i < n && !is_bad(values[i], wants_bytes))
        i++;
    return i;
}
