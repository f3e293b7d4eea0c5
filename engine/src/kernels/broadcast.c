#include "kernels/broadcast.h"

#include "base/share.h"

#include <string.h>

void eng_broadcast_steps(const struct eng_shape *side, const struct eng_shape *y, size_t *step)
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
    eng_broadcast_steps(a, y, step_a);
    eng_broadcast_steps(b, y, step_b);
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

struct forward {
    const struct eng_broadcast *plan;
    eng_binary_line *line;
    size_t in_bytes, out_bytes;       /* of an element */
    struct eng_activation activation; /* none but for floats */
    const char *a, *b;
    char *y;
};

/* Elements [begin, end), line by line; a line may be cut. */
static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    int last = f->plan->rank - 1;
    size_t line = f->plan->dim[last], n_all = end - begin;
    void *start = f->y + begin * f->out_bytes;
    while (begin < end) {
        struct eng_broadcast_at at = eng_broadcast_at(f->plan, begin);
        size_t n = line - begin % line;
        if (n > end - begin) n = end - begin;
        f->line(f->a + at.a * f->in_bytes, f->plan->step_a[last], f->b + at.b * f->in_bytes,
                f->plan->step_b[last], f->y + begin * f->out_bytes, n);
        begin += n;
    }
    if (f->activation.kind != ENG_ACT_NONE)
        eng_activation_forward(f->activation, start, start, n_all);
}

void eng_broadcast_forward(const struct eng_broadcast *plan, enum eng_binary what,
                           enum eng_dtype dtype, const void *a, const void *b,
                           struct eng_activation activation, void *y, struct eng_pool *pool)
{
    struct forward f = {.plan = plan,
                        .line = eng_binary_line_for(what, dtype),
                        .in_bytes = eng_dtype_bytes(dtype),
                        .out_bytes = eng_dtype_bytes(eng_binary_result(what, dtype)),
                        .a = a,
                        .b = b,
                        .y = y};
    if (dtype == ENG_FLOAT32) f.activation = activation;
    eng_share(pool, plan->count, f.activation.kind != ENG_ACT_NONE ? 16 : 1,
              (double)(2 * f.in_bytes + f.out_bytes), forward_range, &f);
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
