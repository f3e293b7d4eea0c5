#include "kernels/activation.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <string.h>
#include <tgmath.h>

/* What activation.def writes its formulas with. */
#define larger(low, x)   ((x) < (low) ? (low) : (x))
#define smaller(high, x) ((x) > (high) ? (high) : (x))
#define SOFT_PLUS        ((x > 0 ? x : 0) + log1p(exp(-fabs(x))))
#define GELU_CURVE       ((T)(M_2_SQRTPI * M_SQRT1_2) * (x + (T)0.044715 * x * x * x))

#define DEFINE_FORWARD(KIND, TYPE, VALUE)                                                      \
    static void KIND##_##TYPE(struct eng_activation act, const void *from, void *to, size_t n) \
    {                                                                                          \
        typedef TYPE T;                                                                        \
        const T a = (T)act.a, b = (T)act.b, *xs = from;                                        \
        T *ys = to;                                                                            \
        for (size_t i = 0; i < n; i++) {                                                       \
            const T x = xs[i];                                                                 \
            ys[i] = VALUE;                                                                     \
        }                                                                                      \
        (void)a;                                                                               \
        (void)b;                                                                               \
    }

#define DEFINE_BACKWARD(KIND, SLOPE)                                                         \
    static void KIND##_backward(struct eng_activation act, const float *xs, const float *ys, \
                                const float *dy, float *dx, bool write, size_t n)            \
    {                                                                                        \
        typedef float T;                                                                     \
        const T a = (T)act.a, b = (T)act.b;                                                  \
        for (size_t i = 0; i < n; i++) {                                                     \
            const T x = xs[i], y = ys[i];                                                    \
            T slope = SLOPE;                                                                 \
            dx[i] = write ? dy[i] * slope : dx[i] + dy[i] * slope;                           \
            (void)x;                                                                         \
            (void)y;                                                                         \
        }                                                                                    \
        (void)a;                                                                             \
        (void)b;                                                                             \
    }

#define ACTIVATION(KIND, NAME, VALUE, SLOPE) \
    DEFINE_FORWARD(KIND, float, VALUE)       \
    DEFINE_FORWARD(KIND, double, VALUE)      \
    DEFINE_BACKWARD(KIND, SLOPE)
#include "kernels/activation.def"
#undef ACTIVATION

typedef void map_fn(struct eng_activation act, const void *x, void *y, size_t n);

static const struct {
    const char *name;
    map_fn *of_float, *of_double;
    void (*backward)(struct eng_activation act, const float *x, const float *y, const float *dy,
                     float *dx, bool write, size_t n);
} functions[ENG_N_ACTIVATIONS] = {
#define ACTIVATION(KIND, NAME, VALUE, SLOPE) \
    [ENG_ACT_##KIND] = {NAME, KIND##_float, KIND##_double, KIND##_backward},
#include "kernels/activation.def"
#undef ACTIVATION
};

const char *eng_activation_name(enum eng_activation_kind kind)
{
    return functions[kind].name;
}

/* ---- integers ---- */

static int64_t of_integer(enum eng_activation_kind kind, int64_t x)
{
    if (kind == ENG_ACT_SIGN) return (x > 0) - (x < 0);
    if (kind == ENG_ACT_ERF) return (int64_t)erf((double)x);
    if (kind == ENG_ACT_RELU) return x < 0 ? 0 : x;
    if (kind == ENG_ACT_NEG || x < 0) return (int64_t)(0 - (uint64_t)x);
    return x;
}

#define DEFINE_INTEGERS(TYPE)                                                              \
    static void of_##TYPE(struct eng_activation act, const void *from, void *to, size_t n) \
    {                                                                                      \
        const TYPE *x = from;                                                              \
        TYPE *y = to;                                                                      \
        for (size_t i = 0; i < n; i++)                                                     \
            y[i] = (TYPE)of_integer(act.kind, (int64_t)x[i]);                              \
    }
DEFINE_INTEGERS(int8_t)
DEFINE_INTEGERS(int16_t)
DEFINE_INTEGERS(int32_t)
DEFINE_INTEGERS(int64_t)
DEFINE_INTEGERS(uint8_t)
DEFINE_INTEGERS(uint16_t)
DEFINE_INTEGERS(uint32_t)

/* Half of them are no int64: Abs keeps all, for Sign and Erf they are just large. */
static void of_uint64_t(struct eng_activation act, const void *from, void *to, size_t n)
{
    const uint64_t *x = from;
    uint64_t *y = to;
    for (size_t i = 0; i < n; i++) {
        int64_t bounded = x[i] > INT64_MAX ? INT64_MAX : (int64_t)x[i];
        y[i] = act.kind == ENG_ACT_ABS ? x[i] : (uint64_t)of_integer(act.kind, bounded);
    }
}

static map_fn *const of_integers[] = {
    [ENG_INT8] = of_int8_t,     [ENG_INT16] = of_int16_t,   [ENG_INT32] = of_int32_t,
    [ENG_INT64] = of_int64_t,   [ENG_UINT8] = of_uint8_t,   [ENG_UINT16] = of_uint16_t,
    [ENG_UINT32] = of_uint32_t, [ENG_UINT64] = of_uint64_t,
};

bool eng_activation_takes(enum eng_activation_kind kind, enum eng_dtype dtype)
{
    switch (dtype) {
    case ENG_FLOAT32:
    case ENG_FLOAT64:
        return true;
    case ENG_INT8:
    case ENG_INT16:
    case ENG_INT32:
    case ENG_INT64:
        return kind == ENG_ACT_NONE || kind == ENG_ACT_ABS || kind == ENG_ACT_SIGN ||
               kind == ENG_ACT_ERF || kind == ENG_ACT_NEG || kind == ENG_ACT_RELU;
    case ENG_UINT8:
    case ENG_UINT16:
    case ENG_UINT32:
    case ENG_UINT64:
        return kind == ENG_ACT_NONE || kind == ENG_ACT_ABS || kind == ENG_ACT_SIGN ||
               kind == ENG_ACT_ERF;
    case ENG_DTYPE_NONE:
    case ENG_BOOL:
    case ENG_FLOAT16:
        break;
    }
    return kind == ENG_ACT_NONE;
}

/* ---- maps ---- */

void eng_activation_forward(struct eng_activation act, const float *x, float *y, size_t n)
{
    if (eng_kernels()->activate[act.kind])
        eng_kernels()->activate[act.kind](act, x, y, n);
    else if (act.kind != ENG_ACT_NONE)
        functions[act.kind].of_float(act, x, y, n);
    else if (x != y)
        memmove(y, x, n * sizeof *y);
}

enum { FLOPS = 16 }; /* of a function that is not the simplest */

struct map {
    struct eng_activation act;
    map_fn *function;
    const char *x;
    char *y;
    size_t element_bytes;
};

static void map_range(void *ctx, size_t begin, size_t end)
{
    const struct map *map = ctx;
    const char *x = map->x + begin * map->element_bytes;
    char *y = map->y + begin * map->element_bytes;
    if (map->function)
        map->function(map->act, x, y, end - begin);
    else if (x != y)
        memmove(y, x, (end - begin) * map->element_bytes);
}

static void of_float(struct eng_activation act, const void *x, void *y, size_t n)
{
    eng_activation_forward(act, x, y, n);
}

void eng_activation_map_typed(struct eng_activation act, enum eng_dtype dtype, const void *x,
                              void *y, size_t n, struct eng_pool *pool)
{
    struct map map = {.act = act, .x = x, .y = y, .element_bytes = eng_dtype_bytes(dtype)};
    if (act.kind != ENG_ACT_NONE)
        map.function = dtype == ENG_FLOAT32   ? of_float
                       : dtype == ENG_FLOAT64 ? functions[act.kind].of_double
                                              : of_integers[dtype];
    eng_share(pool, n, FLOPS, 2 * (double)map.element_bytes, map_range, &map);
}

void eng_activation_map(struct eng_activation act, const float *x, float *y, size_t n,
                        struct eng_pool *pool)
{
    eng_activation_map_typed(act, ENG_FLOAT32, x, y, n, pool);
}

void eng_activation_backward(struct eng_activation act, const float *x, const float *y,
                             const float *dy, float *dx, bool write, size_t n)
{
    if (act.kind == ENG_ACT_RELU)
        eng_kernels()->relu_backward(y, dy, dx, write, n);
    else
        functions[act.kind].backward(act, x, y, dy, dx, write, n);
}
