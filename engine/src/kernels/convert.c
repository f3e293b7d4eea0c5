#include "kernels/convert.h"

#include "base/half.h"

#define CONVERT(FROM, TO, VALUE)                                     \
    static void FROM##_to_##TO(const void *from, void *to, size_t n) \
    {                                                                \
        const FROM *xs = from;                                       \
        TO *ys = to;                                                 \
        for (size_t i = 0; i < n; i++) {                             \
            const FROM x = xs[i];                                    \
            ys[i] = VALUE;                                           \
        }                                                            \
    }

/* bool_ is uint8_t with another meaning: bytes from a file may hold more than 0 and 1. */
typedef uint8_t bool_;

#define CAST(FROM, TO) CONVERT(FROM, TO, (TO)x)
#define BOUNDED(FROM, TO, MIN, MAX) \
    CONVERT(FROM, TO, x >= (FROM)MAX ? MAX : x <= (FROM)MIN ? MIN : x == x ? (TO)x : 0)
#define TRUTH(FROM) CONVERT(FROM, bool_, x != 0)

#define FROM_FLOAT(FROM)                         \
    CAST(FROM, float)                            \
    CAST(FROM, double)                           \
    BOUNDED(FROM, int8_t, INT8_MIN, INT8_MAX)    \
    BOUNDED(FROM, int16_t, INT16_MIN, INT16_MAX) \
    BOUNDED(FROM, int32_t, INT32_MIN, INT32_MAX) \
    BOUNDED(FROM, int64_t, INT64_MIN, INT64_MAX) \
    BOUNDED(FROM, uint8_t, 0, UINT8_MAX)         \
    BOUNDED(FROM, uint16_t, 0, UINT16_MAX)       \
    BOUNDED(FROM, uint32_t, 0, UINT32_MAX)       \
    BOUNDED(FROM, uint64_t, 0, UINT64_MAX)       \
    TRUTH(FROM)

#define FROM_INTEGER(FROM) \
    CAST(FROM, float)      \
    CAST(FROM, double)     \
    CAST(FROM, int8_t)     \
    CAST(FROM, int16_t)    \
    CAST(FROM, int32_t)    \
    CAST(FROM, int64_t)    \
    CAST(FROM, uint8_t)    \
    CAST(FROM, uint16_t)   \
    CAST(FROM, uint32_t)   \
    CAST(FROM, uint64_t)   \
    TRUTH(FROM)

#define FROM_BOOL(TO) CONVERT(bool_, TO, x != 0)

FROM_FLOAT(float)
FROM_FLOAT(double)
FROM_INTEGER(int8_t)
FROM_INTEGER(int16_t)
FROM_INTEGER(int32_t)
FROM_INTEGER(int64_t)
FROM_INTEGER(uint8_t)
FROM_INTEGER(uint16_t)
FROM_INTEGER(uint32_t)
FROM_INTEGER(uint64_t)
FROM_BOOL(float)
FROM_BOOL(double)
FROM_BOOL(int8_t)
FROM_BOOL(int16_t)
FROM_BOOL(int32_t)
FROM_BOOL(int64_t)
FROM_BOOL(uint8_t)
FROM_BOOL(uint16_t)
FROM_BOOL(uint32_t)
FROM_BOOL(uint64_t)
FROM_BOOL(bool_)

enum { N_DTYPES = ENG_UINT64 + 1 };

#define ROW(FROM)                                                             \
    {                                                                         \
        [ENG_FLOAT32] = FROM##_to_float, [ENG_FLOAT64] = FROM##_to_double,    \
        [ENG_INT8] = FROM##_to_int8_t, [ENG_INT16] = FROM##_to_int16_t,       \
        [ENG_INT32] = FROM##_to_int32_t, [ENG_INT64] = FROM##_to_int64_t,     \
        [ENG_UINT8] = FROM##_to_uint8_t, [ENG_UINT16] = FROM##_to_uint16_t,   \
        [ENG_UINT32] = FROM##_to_uint32_t, [ENG_UINT64] = FROM##_to_uint64_t, \
        [ENG_BOOL] = FROM##_to_bool_,                                         \
    }

static void (*const converters[N_DTYPES][N_DTYPES])(const void *x, void *y, size_t n) = {
    [ENG_FLOAT32] = ROW(float),   [ENG_FLOAT64] = ROW(double),  [ENG_INT8] = ROW(int8_t),
    [ENG_INT16] = ROW(int16_t),   [ENG_INT32] = ROW(int32_t),   [ENG_INT64] = ROW(int64_t),
    [ENG_UINT8] = ROW(uint8_t),   [ENG_UINT16] = ROW(uint16_t), [ENG_UINT32] = ROW(uint32_t),
    [ENG_UINT64] = ROW(uint64_t), [ENG_BOOL] = ROW(bool_),
};

bool eng_converts(enum eng_dtype from, enum eng_dtype to)
{
    return (unsigned)from < N_DTYPES && (unsigned)to < N_DTYPES && converters[from][to];
}

void eng_convert(enum eng_dtype from, enum eng_dtype to, const void *x, void *y, size_t n)
{
    converters[from][to](x, y, n);
}

void eng_round_to_half(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = eng_half_round(x[i]);
}
