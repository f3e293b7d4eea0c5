#include "ops/view.h"

#include <string.h>

static int begin_of(const struct eng_view *view, int d)
{
    return d == 0 ? 0 : view->end[d - 1];
}

static int n_factors(const struct eng_view *view)
{
    return view->rank == 0 ? 0 : view->end[view->rank - 1];
}

/* Behind the last factor of a view whose dimension `rank` is open; two that lie evenly are one. */
static bool push(struct eng_view *view, int begin, int *end, size_t n, size_t step)
{
    struct eng_view_factor *last = *end > begin ? &view->factors[*end - 1] : NULL;
    if (n == 1) return true;
    if (last && last->step == n * step) {
        last->n *= n;
        last->step = step;
        return true;
    }
    if (*end == ENG_VIEW_FACTORS) return false;
    view->factors[(*end)++] = (struct eng_view_factor){n, step};
    return true;
}

bool eng_view_whole(const struct eng_shape *shape, struct eng_view *out)
{
    struct eng_view view = {.rank = shape->rank};
    size_t step = 1;
    int end = 0;
    for (int d = 0; d < shape->rank; d++)
        step *= (size_t)shape->dim[d];
    if (step == 0) return false;
    for (int d = 0; d < shape->rank; d++) {
        step /= (size_t)shape->dim[d];
        if (!push(&view, end, &end, (size_t)shape->dim[d], step)) return false;
        view.end[d] = end;
    }
    *out = view;
    return true;
}

size_t eng_view_dim(const struct eng_view *view, int d)
{
    size_t n = 1;
    for (int i = begin_of(view, d); i < view->end[d]; i++)
        n *= view->factors[i].n;
    return n;
}

bool eng_view_step(const struct eng_view *view, int d, size_t *step)
{
    int begin = begin_of(view, d);
    if (view->end[d] > begin + 1) return false;
    *step = view->end[d] > begin ? view->factors[begin].step : 0;
    return true;
}

static bool transpose(struct eng_view *view, const struct eng_view_step *s)
{
    struct eng_view out = {.rank = view->rank, .offset = view->offset};
    int end = 0;
    if (s->rank != view->rank) return false;
    for (int d = 0; d < out.rank; d++) {
        int from = (int)s->v[d], n = view->end[from] - begin_of(view, from);
        memcpy(out.factors + end, view->factors + begin_of(view, from),
               (size_t)n * sizeof *out.factors);
        end += n;
        out.end[d] = end;
    }
    *view = out;
    return true;
}

/* The dimensions with the open one put in. */
static bool resolve(const struct eng_view_step *s, size_t count, size_t *dims)
{
    size_t known = 1;
    int open = -1;
    for (int d = 0; d < s->rank; d++) {
        if (s->v[d] == 0 || (s->v[d] < 0 && open >= 0)) return false;
        if (s->v[d] < 0)
            open = d;
        else
            known *= dims[d] = (size_t)s->v[d];
    }
    if (count % known != 0) return false;
    if (open >= 0) dims[open] = count / known;
    return open >= 0 || known == count;
}

/* Takes `wanted` elements off the factors from *next on, the first of which may be cut in two. */
static bool take(struct eng_view_factor *next, const struct eng_view_factor *stop, size_t wanted,
                 struct eng_view *out, int begin, int *end, struct eng_view_factor **rest)
{
    while (wanted > 1) {
        if (next == stop) return false;
        if (wanted % next->n == 0) {
            if (!push(out, begin, end, next->n, next->step)) return false;
            wanted /= next->n;
            next++;
        } else {
            if (next->n % wanted != 0) return false;
            next->n /= wanted;
            if (!push(out, begin, end, wanted, next->step * next->n)) return false;
            wanted = 1;
        }
    }
    *rest = next;
    return true;
}

static bool reshape(struct eng_view *view, const struct eng_view_step *s)
{
    struct eng_view from = *view, out = {.rank = s->rank, .offset = view->offset};
    struct eng_view_factor *next = from.factors, *stop = from.factors + n_factors(view);
    size_t count = 1, dims[ENG_MAX_RANK];
    int end = 0;
    for (int i = 0; i < n_factors(view); i++)
        count *= from.factors[i].n;
    if (!resolve(s, count, dims)) return false;
    for (int d = 0; d < s->rank; d++) {
        if (!take(next, stop, dims[d], &out, end, &end, &next)) return false;
        out.end[d] = end;
    }
    *view = out;
    return true;
}

static bool cut(struct eng_view *view, const struct eng_view_step *s)
{
    struct eng_view out = {.rank = view->rank, .offset = view->offset};
    size_t step, n = eng_view_dim(view, s->axis);
    int end = 0;
    if (!eng_view_step(view, s->axis, &step) || s->start < 0 || s->count < 1 ||
        (size_t)s->start + (size_t)s->count > n)
        return false;
    for (int d = 0; d < view->rank; d++) {
        int begin = end;
        if (d == s->axis && !push(&out, begin, &end, (size_t)s->count, step)) return false;
        for (int i = begin_of(view, d); d != s->axis && i < view->end[d]; i++)
            if (!push(&out, begin, &end, view->factors[i].n, view->factors[i].step)) return false;
        out.end[d] = end;
    }
    out.offset += (size_t)s->start * step;
    *view = out;
    return true;
}

static bool apply(struct eng_view *view, const struct eng_view_step *s)
{
    if (s->kind == ENG_VIEW_TRANSPOSE) return transpose(view, s);
    return s->kind == ENG_VIEW_RESHAPE ? reshape(view, s) : cut(view, s);
}

bool eng_view_follow(const struct eng_view_chain *chain, struct eng_view *view)
{
    struct eng_view out = *view;
    for (int i = 0; i < chain->n; i++)
        if (!apply(&out, &chain->steps[i])) return false;
    *view = out;
    return true;
}

static bool shape_after(const struct eng_view_step *s, struct eng_shape *shape)
{
    struct eng_shape from = *shape;
    size_t count = 1, dims[ENG_MAX_RANK];
    for (int d = 0; d < from.rank; d++)
        count *= (size_t)from.dim[d];
    if (s->kind == ENG_VIEW_CUT) {
        shape->dim[s->axis] = s->count;
        return true;
    }
    if (s->kind == ENG_VIEW_RESHAPE ? !resolve(s, count, dims) : s->rank != from.rank) return false;
    shape->rank = s->rank;
    for (int d = 0; d < s->rank; d++)
        shape->dim[d] = s->kind == ENG_VIEW_RESHAPE ? (int64_t)dims[d] : from.dim[s->v[d]];
    return true;
}

bool eng_view_shape(const struct eng_view_chain *chain, const struct eng_shape *from,
                    struct eng_shape *out)
{
    struct eng_shape shape = *from;
    for (int i = 0; i < chain->n; i++)
        if (!shape_after(&chain->steps[i], &shape)) return false;
    *out = shape;
    return true;
}

bool eng_view_backwards(const struct eng_view_chain *chain, const struct eng_shape *from,
                        struct eng_view *out)
{
    struct eng_shape shapes[ENG_VIEW_STEPS + 1] = {*from};
    struct eng_view view;
    for (int i = 0; i < chain->n; i++) {
        shapes[i + 1] = shapes[i];
        if (chain->steps[i].kind == ENG_VIEW_CUT || !shape_after(&chain->steps[i], &shapes[i + 1]))
            return false;
    }
    if (!eng_view_whole(&shapes[chain->n], &view)) return false;
    for (int i = chain->n - 1; i >= 0; i--) {
        const struct eng_view_step *s = &chain->steps[i];
        struct eng_view_step back = {.kind = s->kind, .rank = shapes[i].rank};
        for (int d = 0; d < back.rank; d++)
            if (s->kind == ENG_VIEW_RESHAPE)
                back.v[d] = shapes[i].dim[d];
            else
                back.v[s->v[d]] = d;
        if (!apply(&view, &back)) return false;
    }
    *out = view;
    return true;
}
