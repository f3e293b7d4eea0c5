#include "kernels/select.h"

#include "base/share.h"
#include "kernels/broadcast.h"

enum { CONDITION, YES, NO };

void eng_select_plan(const struct eng_shape *const sides[ENG_SELECT_SIDES],
                     const struct eng_shape *y, struct eng_select *out)
{
    size_t steps[ENG_SELECT_SIDES][ENG_MAX_RANK];
    for (int s = 0; s < ENG_SELECT_SIDES; s++)
        eng_broadcast_steps(sides[s], y, steps[s]);
    *out = (struct eng_select){.rank = 1, .dim = {1}, .count = 1};
    for (int i = 0; i < y->rank; i++) {
        size_t dim = (size_t)y->dim[i];
        out->count *= dim;
        if (dim == 1) continue;
        int last = out->rank - 1;
        bool joins = true;
        for (int s = 0; s < ENG_SELECT_SIDES; s++)
            joins &= out->step[s][last] == dim * steps[s][i];
        if (out->dim[last] != 1 && !joins) out->dim[++last] = 1;
        out->rank = last + 1;
        out->dim[last] *= dim;
        for (int s = 0; s < ENG_SELECT_SIDES; s++)
            out->step[s][last] = steps[s][i];
    }
}

struct position {
    size_t of[ENG_SELECT_SIDES];
};

static struct position position_of(const struct eng_select *plan, size_t i)
{
    struct position at = {{0}};
    for (int d = plan->rank - 1; d >= 0; d--) {
        size_t index = i % plan->dim[d];
        i /= plan->dim[d];
        for (int s = 0; s < ENG_SELECT_SIDES; s++)
            at.of[s] += index * plan->step[s][d];
    }
    return at;
}

struct forward {
    const struct eng_select *plan;
    const uint8_t *condition;
    const void *yes, *no;
    size_t element_bytes;
    void *y;
};

/* n elements of a line, the first of them y's element i. */
#define DEFINE_LINE(TYPE)                                                                      \
    static void line_##TYPE(const struct forward *f, struct position at, size_t i, size_t n)   \
    {                                                                                          \
        const struct eng_select *plan = f->plan;                                               \
        int last = plan->rank - 1;                                                             \
        size_t step_condition = plan->step[CONDITION][last], step_yes = plan->step[YES][last], \
               step_no = plan->step[NO][last];                                                 \
        const uint8_t *condition = f->condition + at.of[CONDITION];                            \
        const TYPE *yes = (const TYPE *)f->yes + at.of[YES];                                   \
        const TYPE *no = (const TYPE *)f->no + at.of[NO];                                      \
        TYPE *y = (TYPE *)f->y + i;                                                            \
        for (size_t j = 0; j < n; j++)                                                         \
            y[j] = condition[j * step_condition] ? yes[j * step_yes] : no[j * step_no];        \
    }
DEFINE_LINE(uint8_t)
DEFINE_LINE(uint16_t)
DEFINE_LINE(uint32_t)
DEFINE_LINE(uint64_t)

/* Elements [begin, end), line by line; a line may be cut. */
static void forward_range(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    size_t line = f->plan->dim[f->plan->rank - 1];
    while (begin < end) {
        struct position at = position_of(f->plan, begin);
        size_t n = line - begin % line;
        if (n > end - begin) n = end - begin;
        if (f->element_bytes == 1)
            line_uint8_t(f, at, begin, n);
        else if (f->element_bytes == 2)
            line_uint16_t(f, at, begin, n);
        else if (f->element_bytes == 4)
            line_uint32_t(f, at, begin, n);
        else
            line_uint64_t(f, at, begin, n);
        begin += n;
    }
}

void eng_select_forward(const struct eng_select *plan, const uint8_t *condition, const void *yes,
                        const void *no, size_t element_bytes, void *y, struct eng_pool *pool)
{
    struct forward f = {.plan = plan,
                        .condition = condition,
                        .yes = yes,
                        .no = no,
                        .element_bytes = element_bytes,
                        .y = y};
    eng_share(pool, plan->count, 1, 3 * (double)element_bytes + 1, forward_range, &f);
}

void eng_select_backward(const struct eng_select *plan, const uint8_t *condition, bool wanted,
                         const float *dy, float *d)
{
    int last = plan->rank - 1, side = wanted ? YES : NO;
    size_t line = plan->dim[last];
    for (size_t i = 0; i < plan->count; i += line) {
        struct position at = position_of(plan, i);
        for (size_t j = 0; j < line; j++) {
            bool holds = condition[at.of[CONDITION] + j * plan->step[CONDITION][last]] != 0;
            if (holds == wanted) d[at.of[side] + j * plan->step[side][last]] += dy[i + j];
        }
    }
}
