#include "kernels/broadcast.h"

#include <string.h>

/* The step of one side along each of y's dimensions, before joining. */
static void steps_of(const struct eng_shape *side, const struct eng_shape *y, size_t *step)
{
    size_t size = 1;
    int missing = y->rank - side->rank;
    for (int i = y->rank - 1; i >= 0; i--) {
        int64_t dim = i < missing ? 1 : side->dim[i - missing];
        step[i] = dim == 1 ? 0 : size;
        size *= (size_t)dim;
    }
}

void eng_broadcast_plan(const struct eng_shape *a, const struct eng_shape *b,
                        const struct eng_shape *y, struct eng_broadcast *out)
{
    size_t step_a[ENG_MAX_RANK], step_b[ENG_MAX_RANK];
    steps_of(a, y, step_a);
    steps_of(b, y, step_b);
    *out = (struct eng_broadcast){.rank = 1, .dim = {1}, .count = 1};
    for (int i = 0; i < y->rank; i++) {
        size_t dim = (size_t)y->dim[i];
        out->count *= dim;
        if (dim == 1) continue;
        int last = out->rank - 1;
        bool joins = out->step_a[last] == dim * step_a[i] && out->step_b[last] == dim * step_b[i];
        if (out->dim[last] != 1 && !joins) out->dim[++last] = 1;
        out->rank = last + 1;
        out->dim[last] *= dim;
        out->step_a[last] = step_a[i];
        out->step_b[last] = step_b[i];
    }
}

struct eng_broadcast_at eng_broadcast_at(const struct eng_broadcast *plan, size_t i)
{
    struct eng_broadcast_at at = {0};
    for (int d = plan->rank - 1; d >= 0; d--) {
        size_t index = i % plan->dim[d];
        i /= plan->dim[d];
        at.a += index * plan->step_a[d];
        at.b += index * plan->step_b[d];
    }
    return at;
}

/* One line of n elements; a step is 0 or 1. WIDE is a type in which the product does not overflow
 * into undefined behaviour. The branches let the compiler vectorise. */
#define DEFINE_LINE(NAME, TYPE, WIDE, OP)                                                    \
    static void NAME(const void *a_, size_t step_a, const void *b_, size_t step_b, void *y_, \
                     size_t n)                                                               \
    {                                                                                        \
        const TYPE *a = a_, *b = b_;                                                         \
        TYPE *y = y_;                                                                        \
        if (step_a && step_b)                                                                \
            for (size_t i = 0; i < n; i++)                                                   \
                y[i] = (TYPE)((WIDE)a[i] OP(WIDE) b[i]);                                     \
        else                                                                                 \
            for (size_t i = 0; i < n; i++)                                                   \
                y[i] = (TYPE)((WIDE)a[i * step_a] OP(WIDE) b[i * step_b]);                   \
    }
#define DEFINE_LINES(SUFFIX, TYPE, WIDE)     \
    DEFINE_LINE(add_##SUFFIX, TYPE, WIDE, +) \
    DEFINE_LINE(sub_##SUFFIX, TYPE, WIDE, -) \
    DEFINE_LINE(mul_##SUFFIX, TYPE, WIDE, *)

DEFINE_LINES(float, float, float)
DEFINE_LINES(double, double, double)
DEFINE_LINES(8, uint8_t, uint32_t)
DEFINE_LINES(16, uint16_t, uint32_t)
DEFINE_LINES(32, uint32_t, uint32_t)
DEFINE_LINES(64, uint64_t, uint64_t)
DEFINE_LINE(div_float, float, float, /)
DEFINE_LINE(div_double, double, double, /)

typedef void line_fn(const void *a, size_t step_a, const void *b, size_t step_b, void *y, size_t n);

enum { N_WHAT = 4 };

/* In the order of enum eng_arithmetic. Signed integers share the unsigned ones' bits, which a
 * quotient would not. */
static line_fn *const floats[N_WHAT] = {add_float, sub_float, mul_float, div_float},
                      *const doubles[N_WHAT] = {add_double, sub_double, mul_double, div_double},
                      *const ints8[N_WHAT] = {add_8, sub_8, mul_8},
                      *const ints16[N_WHAT] = {add_16, sub_16, mul_16},
                      *const ints32[N_WHAT] = {add_32, sub_32, mul_32},
                      *const ints64[N_WHAT] = {add_64, sub_64, mul_64};

static line_fn *line_for(enum eng_dtype dtype, enum eng_arithmetic what)
{
    switch (dtype) {
    case ENG_FLOAT32:
        return floats[what];
    case ENG_FLOAT64:
        return doubles[what];
    case ENG_UINT8:
    case ENG_INT8:
        return ints8[what];
    case ENG_UINT16:
    case ENG_INT16:
        return ints16[what];
    case ENG_UINT32:
    case ENG_INT32:
        return ints32[what];
    case ENG_UINT64:
    case ENG_INT64:
        return ints64[what];
    case ENG_DTYPE_NONE:
    case ENG_BOOL:
    case ENG_FLOAT16:
        break;
    }
    return NULL;
}

bool eng_broadcast_takes(enum eng_arithmetic what, enum eng_dtype dtype)
{
    return line_for(dtype, what) != NULL;
}

enum { GRAIN = 1 << 14 }; /* elements */

struct forward {
    const struct eng_broadcast *plan;
    line_fn *line;
    size_t element_bytes;
    struct eng_activation activation; /* none but for floats */
    const char *a, *b;
    char *y;
};

/* Elements [begin, end), line by line; a line may be cut. */
static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    int last = f->plan->rank - 1;
    size_t line = f->plan->dim[last], bytes = f->element_bytes, n_all = end - begin;
    void *start = f->y + begin * bytes;
    while (begin < end) {
        struct eng_broadcast_at at = eng_broadcast_at(f->plan, begin);
        size_t n = line - begin % line;
        if (n > end - begin) n = end - begin;
        f->line(f->a + at.a * bytes, f->plan->step_a[last], f->b + at.b * bytes,
                f->plan->step_b[last], f->y + begin * bytes, n);
        begin += n;
    }
    if (f->activation.kind != ENG_ACT_NONE)
        eng_activation_forward(f->activation, start, start, n_all);
}

void eng_broadcast_forward(const struct eng_broadcast *plan, enum eng_arithmetic what,
                           enum eng_dtype dtype, const void *a, const void *b,
                           struct eng_activation activation, void *y, struct eng_pool *pool)
{
    struct forward f = {.plan = plan,
                        .line = line_for(dtype, what),
                        .element_bytes = eng_dtype_bytes(dtype),
                        .a = a,
                        .b = b,
                        .y = y};
    if (dtype == ENG_FLOAT32) f.activation = activation;
    if (plan->count > 0) eng_pool_for(pool, plan->count, GRAIN, forward_range, &f);
}

/* Walked alike by both sides and the result: one line, no sums. */
static void backward_same(const float *other, const float *dy, float *da, bool write, size_t n)
{
    for (size_t i = 0; !write && !other && i < n; i++)
        da[i] += dy[i];
    for (size_t i = 0; !write && other && i < n; i++)
        da[i] += dy[i] * other[i];
    for (size_t i = 0; write && other && i < n; i++)
        da[i] = dy[i] * other[i];
    if (write && !other) memcpy(da, dy, n * sizeof *da);
}

static void backward_line(const float *other, size_t step_other, const float *dy, float *da,
                          size_t step_da, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        float d = other ? dy[i] * other[i * step_other] : dy[i];
        if (step_da)
            da[i] += d;
        else
            sum += d;
    }
    if (!step_da) *da += sum;
}

/* Elements of one side. */
static size_t side_count(const struct eng_broadcast *plan, bool is_a)
{
    size_t n = 1;
    for (int d = 0; d < plan->rank; d++)
        if (is_a ? plan->step_a[d] : plan->step_b[d]) n *= plan->dim[d];
    return n;
}

void eng_broadcast_backward(const struct eng_broadcast *plan, bool is_a, const float *other,
                            const float *dy, bool write, float *da)
{
    int last = plan->rank - 1;
    if (last == 0 && plan->step_a[0] == 1 && plan->step_b[0] == 1) {
        backward_same(other, dy, da, write, plan->count);
        return;
    }
    if (write) memset(da, 0, side_count(plan, is_a) * sizeof *da);
    size_t line = plan->dim[last];
    size_t step_da = is_a ? plan->step_a[last] : plan->step_b[last];
    size_t step_other = is_a ? plan->step_b[last] : plan->step_a[last];
    for (size_t i = 0; i < plan->count; i += line) {
        struct eng_broadcast_at at = eng_broadcast_at(plan, i);
        size_t mine = is_a ? at.a : at.b, others = is_a ? at.b : at.a;
        backward_line(other ? other + others : NULL, step_other, dy + i, da + mine, step_da, line);
    }
}
