#include "kernels/binary.h"

#include <math.h>

/* VALUE is written in a and b. The branches let the compiler vectorise. */
#define LINE(NAME, TYPE, RESULT, VALUE)                                                      \
    static void NAME(const void *a_, size_t step_a, const void *b_, size_t step_b, void *y_, \
                     size_t n)                                                               \
    {                                                                                        \
        const TYPE *as = a_, *bs = b_;                                                       \
        RESULT *ys = y_;                                                                     \
        if (step_a && step_b) {                                                              \
            for (size_t i = 0; i < n; i++) {                                                 \
                const TYPE a = as[i], b = bs[i];                                             \
                ys[i] = (RESULT)(VALUE);                                                     \
            }                                                                                \
        } else if (step_a) {                                                                 \
            const TYPE b = *bs;                                                              \
            for (size_t i = 0; i < n; i++) {                                                 \
                const TYPE a = as[i];                                                        \
                ys[i] = (RESULT)(VALUE);                                                     \
            }                                                                                \
        } else {                                                                             \
            const TYPE a = *as;                                                              \
            for (size_t i = 0; i < n; i++) {                                                 \
                const TYPE b = bs[i * step_b];                                               \
                ys[i] = (RESULT)(VALUE);                                                     \
            }                                                                                \
        }                                                                                    \
    }

/* Signed integers share the unsigned ones' sums and products; WIDE holds those of small ones. */
#define WRAPPING(TYPE, WIDE)                             \
    LINE(add_##TYPE, TYPE, TYPE, (WIDE)a + (WIDE)b)      \
    LINE(subtract_##TYPE, TYPE, TYPE, (WIDE)a - (WIDE)b) \
    LINE(multiply_##TYPE, TYPE, TYPE, (WIDE)a *(WIDE)b)

#define COMPARED(TYPE)                                   \
    LINE(equal_##TYPE, TYPE, uint8_t, a == b)            \
    LINE(greater_##TYPE, TYPE, uint8_t, a > b)           \
    LINE(less_##TYPE, TYPE, uint8_t, a < b)              \
    LINE(greater_or_equal_##TYPE, TYPE, uint8_t, a >= b) \
    LINE(less_or_equal_##TYPE, TYPE, uint8_t, a <= b)

#define FLOATS(TYPE, POW, FMOD)                             \
    WRAPPING(TYPE, TYPE)                                    \
    COMPARED(TYPE)                                          \
    LINE(divide_##TYPE, TYPE, TYPE, a / b)                  \
    LINE(remainder_##TYPE, TYPE, TYPE, FMOD(a, b))          \
    LINE(pow_##TYPE, TYPE, TYPE, POW(a, b))                 \
    LINE(min_##TYPE, TYPE, TYPE, a < b || isnan(a) ? a : b) \
    LINE(max_##TYPE, TYPE, TYPE, a > b || isnan(a) ? a : b) \
    LINE(prelu_##TYPE, TYPE, TYPE, a < 0 ? a * b : a)

#define INTEGERS(TYPE)                          \
    COMPARED(TYPE)                              \
    LINE(min_##TYPE, TYPE, TYPE, a < b ? a : b) \
    LINE(max_##TYPE, TYPE, TYPE, a > b ? a : b)

#define UNSIGNED(TYPE, WIDE)                               \
    WRAPPING(TYPE, WIDE)                                   \
    INTEGERS(TYPE)                                         \
    LINE(divide_##TYPE, TYPE, TYPE, b == 0 ? 0 : a / b)    \
    LINE(remainder_##TYPE, TYPE, TYPE, b == 0 ? 0 : a % b) \
    LINE(prelu_##TYPE, TYPE, TYPE, ((void)b, a))

/* The smallest number divided by -1 wraps around. */
#define SIGNED(TYPE)                                                                        \
    INTEGERS(TYPE)                                                                          \
    LINE(divide_##TYPE, TYPE, TYPE, b == 0 ? 0 : b == -1 ? (TYPE)(0 - (uint64_t)a) : a / b) \
    LINE(remainder_##TYPE, TYPE, TYPE, b == 0 || b == -1 ? 0 : a % b)                       \
    LINE(modulo_##TYPE, TYPE, TYPE,                                                         \
         b == 0 || b == -1                      ? 0                                         \
         : a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b                                 \
                                                : a % b)                                    \
    LINE(prelu_##TYPE, TYPE, TYPE, a < 0 ? (TYPE)((uint64_t)a * (uint64_t)b) : a)

/* Squares and cubes, which is what networks raise to, need no logarithm. */
static inline float power_float(float a, float b)
{
    return b == 2 ? a * a : b == 3 ? a * a * a : powf(a, b);
}

static inline double power_double(double a, double b)
{
    return b == 2 ? a * a : b == 3 ? a * a * a : pow(a, b);
}

FLOATS(float, power_float, fmodf)
FLOATS(double, power_double, fmod)
UNSIGNED(uint8_t, uint32_t)
UNSIGNED(uint16_t, uint32_t)
UNSIGNED(uint32_t, uint32_t)
UNSIGNED(uint64_t, uint64_t)
SIGNED(int8_t)
SIGNED(int16_t)
SIGNED(int32_t)
SIGNED(int64_t)
LINE(equal_bool, uint8_t, uint8_t, !a == !b)
LINE(and_bool, uint8_t, uint8_t, a &&b)
LINE(or_bool, uint8_t, uint8_t, a || b)
LINE(xor_bool, uint8_t, uint8_t, !a != !b)

enum { N_DTYPES = ENG_UINT64 + 1 };

#define ROW_FLOATS(NAME) [ENG_FLOAT32] = NAME##_float, [ENG_FLOAT64] = NAME##_double
#define ROW_UNSIGNED(NAME)                                                                        \
    [ENG_UINT8] = NAME##_uint8_t, [ENG_UINT16] = NAME##_uint16_t, [ENG_UINT32] = NAME##_uint32_t, \
    [ENG_UINT64] = NAME##_uint64_t
#define ROW_SIGNED(NAME)                                                                    \
    [ENG_INT8] = NAME##_int8_t, [ENG_INT16] = NAME##_int16_t, [ENG_INT32] = NAME##_int32_t, \
    [ENG_INT64] = NAME##_int64_t
#define ROW_SIGNED_AS_UNSIGNED(NAME)                                                           \
    [ENG_INT8] = NAME##_uint8_t, [ENG_INT16] = NAME##_uint16_t, [ENG_INT32] = NAME##_uint32_t, \
    [ENG_INT64] = NAME##_uint64_t

static eng_binary_line *const lines[ENG_N_BINARY][N_DTYPES] = {
    [ENG_ADD] = {ROW_FLOATS(add), ROW_UNSIGNED(add), ROW_SIGNED_AS_UNSIGNED(add)},
    [ENG_SUB] = {ROW_FLOATS(subtract), ROW_UNSIGNED(subtract), ROW_SIGNED_AS_UNSIGNED(subtract)},
    [ENG_MUL] = {ROW_FLOATS(multiply), ROW_UNSIGNED(multiply), ROW_SIGNED_AS_UNSIGNED(multiply)},
    [ENG_DIV] = {ROW_FLOATS(divide), ROW_UNSIGNED(divide), ROW_SIGNED(divide)},
    [ENG_MODULO] = {ROW_UNSIGNED(remainder), ROW_SIGNED(modulo)},
    [ENG_REMAINDER] = {ROW_FLOATS(remainder), ROW_UNSIGNED(remainder), ROW_SIGNED(remainder)},
    [ENG_POW] = {ROW_FLOATS(pow)},
    [ENG_MIN] = {ROW_FLOATS(min), ROW_UNSIGNED(min), ROW_SIGNED(min)},
    [ENG_MAX] = {ROW_FLOATS(max), ROW_UNSIGNED(max), ROW_SIGNED(max)},
    [ENG_PRELU] = {ROW_FLOATS(prelu), ROW_UNSIGNED(prelu), ROW_SIGNED(prelu)},
    [ENG_EQUAL] = {ROW_FLOATS(equal), ROW_UNSIGNED(equal),
                   ROW_SIGNED(equal), [ENG_BOOL] = equal_bool},
    [ENG_GREATER] = {ROW_FLOATS(greater), ROW_UNSIGNED(greater), ROW_SIGNED(greater)},
    [ENG_LESS] = {ROW_FLOATS(less), ROW_UNSIGNED(less), ROW_SIGNED(less)},
    [ENG_GREATER_OR_EQUAL] = {ROW_FLOATS(greater_or_equal), ROW_UNSIGNED(greater_or_equal),
                              ROW_SIGNED(greater_or_equal)},
    [ENG_LESS_OR_EQUAL] = {ROW_FLOATS(less_or_equal), ROW_UNSIGNED(less_or_equal),
                           ROW_SIGNED(less_or_equal)},
    [ENG_AND] = {[ENG_BOOL] = and_bool},
    [ENG_OR] = {[ENG_BOOL] = or_bool},
    [ENG_XOR] = {[ENG_BOOL] = xor_bool},
};

eng_binary_line *eng_binary_line_for(enum eng_binary what, enum eng_dtype dtype)
{
    return (unsigned)dtype < N_DTYPES ? lines[what][dtype] : NULL;
}

enum eng_dtype eng_binary_result(enum eng_binary what, enum eng_dtype dtype)
{
    return what >= ENG_EQUAL ? ENG_BOOL : dtype;
}

static float pow_slope(bool is_a, float a, float b)
{
    if (is_a) return b == 0 ? 0 : b * power_float(a, b - 1);
    return a == 0 && b >= 0 ? 0 : power_float(a, b) * logf(a);
}

float eng_binary_slope(enum eng_binary what, bool is_a, float a, float b)
{
    switch (what) {
    case ENG_ADD:
        return 1;
    case ENG_SUB:
        return is_a ? 1 : -1;
    case ENG_MUL:
        return is_a ? b : a;
    case ENG_DIV:
        return is_a ? 1 / b : -a / (b * b);
    case ENG_REMAINDER:
        return is_a ? 1 : -truncf(a / b);
    case ENG_POW:
        return pow_slope(is_a, a, b);
    case ENG_MIN:
        return (a <= b) == is_a ? 1 : 0;
    case ENG_MAX:
        return (a >= b) == is_a ? 1 : 0;
    case ENG_PRELU:
        if (is_a) return a < 0 ? b : 1;
        return a < 0 ? a : 0;
    case ENG_MODULO: /* of integers or bools */
    case ENG_EQUAL:
    case ENG_GREATER:
    case ENG_LESS:
    case ENG_GREATER_OR_EQUAL:
    case ENG_LESS_OR_EQUAL:
    case ENG_AND:
    case ENG_OR:
    case ENG_XOR:
    case ENG_N_BINARY:
        break;
    }
    return 0;
}
