/* Rewrites for inference under test: a net, what becomes of it, and whether the answers stay. */
#ifndef TEST_SUPPORT_REWRITE_CASE_H
#define TEST_SUPPORT_REWRITE_CASE_H

#include "graph/exec.h"
#include "graph/rewrite.h"
#include "graph/shape.h"
#include "net.h"

#include <math.h>

typedef enum eng_status rewrite_fn(struct eng_rewrite *rewrite, struct eng_error *err);

struct rewrite_case {
    struct net net;       /* the plain graph */
    struct eng_graph out; /* rewritten */
};

/* Shapes that the rewrite says are those that are inferred; of some values there is nothing to be
 * inferred, for no node computes them. */
static inline void rewrite_check_shapes(const struct eng_rewrite *rewrite)
{
    const struct eng_graph *graph = rewrite->graph;
    struct eng_tensor *inferred = calloc(graph->n_values, sizeof *inferred);
    struct eng_error err = {0};
    assert_non_null(inferred);
    if (eng_shape_infer_symbolic(graph, false, inferred, &err) != ENG_OK) fail_msg("%s", err.text);
    for (size_t v = 0; v < graph->n_values; v++) {
        if (inferred[v].dtype == ENG_DTYPE_NONE) continue;
        assert_int_equal(rewrite->shapes[v].dtype, inferred[v].dtype);
        if (!eng_shape_equal(&rewrite->shapes[v].shape, &inferred[v].shape))
            fail_msg("value '%s' has another shape", graph->values[v].name);
    }
    free(inferred);
}

/* c->net, built by the caller, is rewritten by the functions in turn; NULL ends them. */
static inline void rewrite_run(struct rewrite_case *c, rewrite_fn *const *functions)
{
    struct eng_rewrite rewrite;
    struct eng_error err = {0};
    struct eng_tensor *shapes = calloc(c->net.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    eng_graph_init(&c->out);
    if (eng_shape_infer_symbolic(&c->net.graph, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, &c->net.graph, shapes, &c->out, &err) != ENG_OK)
        fail_msg("%s", err.text);
    for (; *functions; functions++) {
        if ((*functions)(&rewrite, &err) != ENG_OK) fail_msg("%s", err.text);
        rewrite_check_shapes(&rewrite);
    }
    eng_rewrite_end(&rewrite);
    free(shapes);
}

static inline void rewrite_fini(struct rewrite_case *c)
{
    eng_graph_fini(&c->out);
    net_fini(&c->net);
}

static inline size_t rewrite_count(const struct eng_graph *graph, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

/* All floats of all outputs, one after the other; the caller frees them. Inputs are a seeded
 * stream's, the first samples of which are the same for every batch. */
static inline float *rewrite_answers(const struct eng_graph *graph, int64_t batch,
                                     struct eng_pool *pool, size_t *n)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, batch, false, &plan, &err) != ENG_OK ||
        eng_exec_create(graph, plan->arena_bytes, pool, &exec, &err) != ENG_OK)
        fail_msg("%s", err.text);
    eng_exec_bind(exec, plan);
    for (size_t i = 0; i < graph->n_inputs; i++) {
        const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[i]);
        struct eng_rng rng;
        eng_rng_init(&rng, 5, i);
        for (int64_t k = 0; k < eng_shape_count(&x->shape); k++)
            ((float *)x->data)[k] = eng_rng_normal(&rng);
    }
    eng_exec_forward(exec, 0);
    *n = 0;
    float *all = NULL;
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[i]);
        size_t count = (size_t)eng_shape_count(&y->shape);
        all = realloc(all, (*n + count) * sizeof *all);
        assert_non_null(all);
        memcpy(all + *n, y->data, count * sizeof *all);
        *n += count;
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    return all;
}

/* The rewritten graph answers as the plain one does, up to rounding; and, with one output, the
 * first sample of a batch as that sample alone, to the last bit. */
static inline void rewrite_check_answers(const struct rewrite_case *c, float tolerance)
{
    size_t n, m;
    float *wanted = rewrite_answers(&c->net.graph, 3, NULL, &n);
    float *found = rewrite_answers(&c->out, 3, NULL, &m);
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(wanted[i] - found[i]) <= tolerance) && !(isnan(wanted[i]) && isnan(found[i])))
            fail_msg("element %zu is %.9g, wanted %.9g", i, (double)found[i], (double)wanted[i]);
    if (c->out.n_outputs == 1) {
        float *alone = rewrite_answers(&c->out, 1, NULL, &n);
        assert_memory_equal(alone, found, n * sizeof *alone);
        free(alone);
    }
    free(wanted);
    free(found);
}

#endif
