/*
 * Y = softmax(scale Q K' + masks) V for each head.
 *
 * Shapes: views of Q [.., queries, depth], K [.., keys, depth], V [.., keys, width], masks that
 * broadcast to [.., queries, keys]; Y as the chain says. Source: kernels/attention.h.
 */
#include "ops/attention.h"

#include "base/error.h"

#include <stdio.h>

enum { Q, K, V, FIRST_MASK };

bool eng_attention_place(const struct eng_view *view, struct eng_attention_place *out)
{
    struct eng_attention_place place = {.offset = view->offset};
    size_t step;
    int rank = view->rank;
    if (rank < 2 || !eng_view_step(view, rank - 2, &place.row) ||
        !eng_view_step(view, rank - 1, &step) || (step != 1 && eng_view_dim(view, rank - 1) > 1))
        return false;
    int n = rank > 2 ? view->end[rank - 3] : 0;
    if (n > ENG_ATTENTION_LEVELS) return false;
    for (; place.n < n; place.n++) {
        place.dim[place.n] = view->factors[place.n].n;
        place.step[place.n] = view->factors[place.n].step;
    }
    *out = place;
    return true;
}

static enum eng_status fail_view(const struct eng_op_infer *q, size_t k, struct eng_error *err)
{
    char text[96];
    return eng_fail(err, ENG_UNSUPPORTED, "input %zu of shape %s has no such rows for attention", k,
                    eng_shape_format(&q->in[k]->shape, text, sizeof text));
}

static enum eng_status see(const struct eng_op_infer *q, size_t k,
                           const struct eng_view_chain *chain, struct eng_attention_place *place,
                           struct eng_shape *shape, struct eng_error *err)
{
    struct eng_view view;
    enum eng_status status = eng_infer_dtype(q, k, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    if (!eng_view_shape(chain, &q->in[k]->shape, shape) ||
        !eng_view_whole(&q->in[k]->shape, &view) || !eng_view_follow(chain, &view) ||
        !eng_attention_place(&view, place))
        return fail_view(q, k, err);
    return ENG_OK;
}

/* The size of the level that is left open. */
static bool open_level(const struct eng_attention_levels *levels, size_t n_heads, int64_t *out)
{
    size_t known = 1;
    for (int d = 0; d < levels->rank; d++)
        if (levels->dim[d] > 0) known *= (size_t)levels->dim[d];
    *out = (int64_t)(n_heads / known);
    return n_heads % known == 0;
}

/* Masks are dense; a dimension of 1 is read again and again. */
static enum eng_status see_mask(const struct eng_op_infer *q, size_t k,
                                const struct eng_attention_levels *levels,
                                const struct eng_attention *a, struct eng_attention_place *out,
                                struct eng_error *err)
{
    const struct eng_shape *mask = &q->in[k]->shape;
    struct eng_attention_place place = {.n = levels->rank};
    enum eng_status status = eng_infer_dtype(q, k, ENG_FLOAT32, err);
    if (status != ENG_OK) return status;
    int64_t open;
    size_t step = 1;
    bool fits = open_level(levels, a->n_heads, &open) && mask->rank <= levels->rank + 2;
    for (int d = levels->rank + 1; fits && d >= 0; d--) {
        int own = d - (levels->rank + 2 - mask->rank);
        size_t dim = own < 0 ? 1 : (size_t)mask->dim[own];
        size_t wanted = d == levels->rank + 1 ? a->n_keys
                        : d == levels->rank   ? a->n_queries
                                            : (size_t)(levels->dim[d] < 0 ? open : levels->dim[d]);
        fits = dim == wanted || (dim == 1 && d <= levels->rank);
        if (d == levels->rank) place.row = dim == 1 ? 0 : step;
        if (d < levels->rank) {
            place.dim[d] = wanted;
            place.step[d] = dim == 1 ? 0 : step;
        }
        step *= dim;
    }
    if (!fits) return fail_view(q, k, err);
    *out = place;
    return ENG_OK;
}

/* All dimensions but the last two. */
static bool same_heads(const struct eng_shape *a, const struct eng_shape *b)
{
    bool same = a->rank == b->rank;
    for (int d = 0; same && d < a->rank - 2; d++)
        same = a->dim[d] == b->dim[d];
    return same;
}

static enum eng_status see_inputs(const struct eng_op_infer *q, struct eng_attention *a,
                                  struct eng_shape *y, struct eng_error *err)
{
    const struct eng_attention_attrs *attrs = q->attrs;
    struct eng_shape k, v;
    enum eng_status status = see(q, Q, &attrs->q, &a->q, y, err);
    if (status == ENG_OK) status = see(q, K, &attrs->k, &a->k, &k, err);
    if (status == ENG_OK) status = see(q, V, &attrs->v, &a->v, &v, err);
    if (status != ENG_OK) return status;
    int rank = y->rank;
    if (!same_heads(y, &k) || k.dim[rank - 1] != y->dim[rank - 1]) return fail_view(q, K, err);
    if (!same_heads(y, &v) || v.dim[rank - 2] != k.dim[rank - 2] ||
        k.dim[rank - 2] > ENG_ATTENTION_MOST_KEYS)
        return fail_view(q, V, err);
    a->n_heads = eng_infer_product(y, 0, rank - 2);
    a->n_queries = (size_t)y->dim[rank - 2];
    a->n_keys = (size_t)k.dim[rank - 2];
    a->depth = (size_t)y->dim[rank - 1];
    a->width = (size_t)v.dim[rank - 1];
    a->scale = (float)attrs->scale;
    y->dim[rank - 1] = v.dim[rank - 1];
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_attention_attrs *attrs = q->attrs;
    struct eng_attention *a = q->state;
    struct eng_shape heads, y;
    struct eng_view view;
    enum eng_status status = see_inputs(q, a, &heads, err);
    for (size_t k = FIRST_MASK; status == ENG_OK && k < q->n_in; k++)
        if (q->in[k])
            status =
                see_mask(q, k, &attrs->levels[k - FIRST_MASK], a, &a->masks[k - FIRST_MASK], err);
    if (status != ENG_OK) return status;
    if (!eng_view_shape(&attrs->y, &heads, &y) || !eng_view_backwards(&attrs->y, &heads, &view) ||
        !eng_attention_place(&view, &a->y))
        return eng_fail(err, ENG_UNSUPPORTED, "the answer has no such rows for attention");
    if (!eng_attention_scratch_bytes(a, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "attention needs more scratch memory than there is");
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    struct eng_attention_call c = {.q = call->in[Q]->data,
                                   .k = call->in[K]->data,
                                   .v = call->in[V]->data,
                                   .y = call->out[0]->data,
                                   .scratch = call->scratch,
                                   .pool = call->pool};
    for (size_t k = FIRST_MASK; k < call->n_in; k++)
        if (call->in[k]) c.masks[k - FIRST_MASK] = call->in[k]->data;
    eng_attention_forward(call->state, &c);
}

static double flops(const struct eng_op_infer *q)
{
    const struct eng_attention *a = q->state;
    return 2 * (double)a->n_heads * (double)a->n_queries * (double)a->n_keys *
           (double)(a->depth + a->width);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    const struct eng_attention *a = call->state;
    snprintf(text, size, "%zu x %zu x %zu", a->n_heads, a->n_queries, a->n_keys);
}

const struct eng_op eng_op_attention = {
    .name = "Attention",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 3,
    .in_max = FIRST_MASK + ENG_ATTENTION_MASKS,
    .out_min = 1,
    .out_max = 1,
    .attrs_bytes = sizeof(struct eng_attention_attrs),
    .state_bytes = sizeof(struct eng_attention),
    .infer = infer,
    .forward = forward,
    .flops = flops,
    .describe = describe,
};
