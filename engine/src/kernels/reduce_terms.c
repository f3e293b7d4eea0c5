#include "kernels/reduce_terms.h"

#include "kernels/dispatch.h"

#include <math.h>

#define NAME__(stem, suffix) stem##_##suffix
#define NAME_(stem, suffix)  NAME__(stem, suffix)

/* --- floats, in doubles --- */

#define RUNNING        double
#define MEMBER         real
#define ADD(a, b)      ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define MEAN(sum, n)   ((sum) / (double)(n))
#define IS_NAN(x)      isnan(x)
#define FROM_REAL(x)   ((TYPE)(x))

#define TYPE    double
#define SUFFIX  f64
#define LOWEST  (-INFINITY)
#define HIGHEST INFINITY
#include "kernels/reduce_terms.inc"

static void take_floats(enum eng_reduction what, const void *x, size_t n, bool apart,
                        union eng_running *values);

#define TYPE    float
#define SUFFIX  f32
#define LOWEST  (-INFINITY)
#define HIGHEST INFINITY
#define TAKE    take_floats
#include "kernels/reduce_terms.inc"

enum { PIECE = 4096, LANES = 16 };

/* A long line in pieces, each summed in floats by vectors. */
static double sum_line(const float *x, size_t n, float (*sum)(const float *, float, size_t))
{
    double total = 0;
    for (size_t i = 0; i < n; i += PIECE)
        total += (double)sum(x + i, 0, n - i < PIECE ? n - i : PIECE);
    return total;
}

/* Lanes side by side, which the compiler makes a vector of. */
static void extreme_line(bool largest, const float *x, size_t n, union eng_running *value)
{
    float lane[LANES];
    size_t i = 0;
    for (int k = 0; k < LANES; k++)
        lane[k] = (float)value->real;
    for (; n - i >= LANES; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            float v = x[i + k];
            bool wins = largest ? v > lane[k] : v < lane[k];
            lane[k] = wins || isnan(v) ? v : lane[k];
        }
    enum eng_reduction what = largest ? ENG_REDUCE_MAX : ENG_REDUCE_MIN;
    take_f32(what, lane, LANES, false, value);
    take_f32(what, x + i, n - i, false, value);
}

static void take_floats(enum eng_reduction what, const void *x, size_t n, bool apart,
                        union eng_running *values)
{
    bool sums = what == ENG_REDUCE_SUM || what == ENG_REDUCE_MEAN || what == ENG_REDUCE_LOG_SUM;
    bool squares = what == ENG_REDUCE_L2 || what == ENG_REDUCE_SUM_SQUARE;
    bool largest = what == ENG_REDUCE_MAX || what == ENG_REDUCE_LOG_SUM_EXP;
    if (!apart && sums)
        values->real += sum_line(x, n, eng_kernels()->sum);
    else if (!apart && squares)
        values->real += sum_line(x, n, eng_kernels()->sum_squares);
    else if (!apart && (largest || what == ENG_REDUCE_MIN))
        extreme_line(largest, x, n, values);
    else
        take_f32(what, x, n, apart, values);
}

#undef RUNNING
#undef MEMBER
#undef ADD
#undef MULTIPLY
#undef MEAN
#undef IS_NAN
#undef FROM_REAL

/* --- integers, in 64 bits, wrapping around --- */

#define IS_NAN(x) false
/* Cut to a whole number; out of range: the nearest bound, NaN: 0. */
#define FROM_REAL(x)                           \
    ((TYPE)(isnan(x)                 ? 0       \
            : (x) <= (double)LOWEST  ? LOWEST  \
            : (x) >= (double)HIGHEST ? HIGHEST \
                                     : (TYPE)(x)))

#define RUNNING        int64_t
#define MEMBER         whole
#define ADD(a, b)      ((int64_t)((uint64_t)(a) + (uint64_t)(b)))
#define MULTIPLY(a, b) ((int64_t)((uint64_t)(a) * (uint64_t)(b)))
#define MEAN(sum, n)   ((n) == 0 ? 0 : (sum) / (int64_t)(n))

#define TYPE    int8_t
#define SUFFIX  i8
#define LOWEST  INT8_MIN
#define HIGHEST INT8_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    int16_t
#define SUFFIX  i16
#define LOWEST  INT16_MIN
#define HIGHEST INT16_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    int32_t
#define SUFFIX  i32
#define LOWEST  INT32_MIN
#define HIGHEST INT32_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    int64_t
#define SUFFIX  i64
#define LOWEST  INT64_MIN
#define HIGHEST INT64_MAX
#include "kernels/reduce_terms.inc"

#undef RUNNING
#undef MEMBER
#undef ADD
#undef MULTIPLY
#undef MEAN
#define RUNNING        uint64_t
#define MEMBER         natural
#define ADD(a, b)      ((a) + (b))
#define MULTIPLY(a, b) ((a) * (uint64_t)(b))
#define MEAN(sum, n)   ((n) == 0 ? 0 : (sum) / (n))

#define TYPE    uint8_t
#define SUFFIX  u8
#define LOWEST  0
#define HIGHEST UINT8_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    uint16_t
#define SUFFIX  u16
#define LOWEST  0
#define HIGHEST UINT16_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    uint32_t
#define SUFFIX  u32
#define LOWEST  0
#define HIGHEST UINT32_MAX
#include "kernels/reduce_terms.inc"

#define TYPE    uint64_t
#define SUFFIX  u64
#define LOWEST  0
#define HIGHEST UINT64_MAX
#include "kernels/reduce_terms.inc"

const struct eng_reduce_terms *eng_reduce_terms(enum eng_dtype dtype)
{
    static const struct eng_reduce_terms *const table[] = {
        [ENG_FLOAT32] = &terms_f32, [ENG_FLOAT64] = &terms_f64, [ENG_INT8] = &terms_i8,
        [ENG_INT16] = &terms_i16,   [ENG_INT32] = &terms_i32,   [ENG_INT64] = &terms_i64,
        [ENG_UINT8] = &terms_u8,    [ENG_UINT16] = &terms_u16,  [ENG_UINT32] = &terms_u32,
        [ENG_UINT64] = &terms_u64,  [ENG_BOOL] = &terms_u8,
    };
    return (size_t)dtype < sizeof table / sizeof *table ? table[dtype] : NULL;
}
