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

enum { REWRITE_MAX_OUTPUTS = 8 };

struct rewrite_answers {
    float *y[REWRITE_MAX_OUTPUTS];
    size_t n[REWRITE_MAX_OUTPUTS];
};

/* Inputs are a seeded stream's, the first samples of which are the same for every batch. */
static inline void rewrite_answer(const struct eng_graph *graph, int64_t batch,
                                  struct rewrite_answers *out)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, batch, false, &plan, &err) != ENG_OK ||
        eng_exec_create(graph, plan->arena_bytes, NULL, &exec, &err) != ENG_OK)
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
    *out = (struct rewrite_answers){0};
    assert_true(graph->n_outputs <= REWRITE_MAX_OUTPUTS);
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[i]);
        out->n[i] = (size_t)eng_shape_count(&y->shape);
        out->y[i] = malloc(out->n[i] * sizeof(float));
        assert_non_null(out->y[i]);
        memcpy(out->y[i], y->data, out->n[i] * sizeof(float));
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

static inline void rewrite_answers_fini(struct rewrite_answers *answers)
{
    for (size_t i = 0; i < REWRITE_MAX_OUTPUTS; i++)
        free(answers->y[i]);
}

/* tolerance: relative to the largest number of an output. */
static inline void rewrite_check_close(const float *found, const float *wanted, size_t n,
                                       float tolerance)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(wanted[i])) most = fmaxf(most, fabsf(wanted[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(wanted[i] - found[i]) <= tolerance * most) &&
            !(isnan(wanted[i]) && isnan(found[i])))
            fail_msg("element %zu is %.9g, wanted %.9g", i, (double)found[i], (double)wanted[i]);
}

/* The rewritten graph answers as the plain one does, up to rounding and under the same names; and
 * the first sample of a batch as that sample alone, to the last bit. */
static inline void rewrite_check_answers(const struct rewrite_case *c, int64_t batch,
                                         float tolerance)
{
    const struct eng_graph *before = &c->net.graph, *after = &c->out;
    struct rewrite_answers wanted, found, alone;
    rewrite_answer(before, batch, &wanted);
    rewrite_answer(after, batch, &found);
    rewrite_answer(after, 1, &alone);
    assert_int_equal(after->n_outputs, before->n_outputs);
    for (size_t i = 0; i < before->n_outputs; i++) {
        assert_string_equal(before->values[before->outputs[i]].name,
                            after->values[after->outputs[i]].name);
        assert_int_equal(wanted.n[i], found.n[i]);
        rewrite_check_close(found.y[i], wanted.y[i], wanted.n[i], tolerance);
        assert_memory_equal(alone.y[i], found.y[i], alone.n[i] * sizeof(float));
    }
    rewrite_answers_fini(&wanted);
    rewrite_answers_fini(&found);
    rewrite_answers_fini(&alone);
}

#endif
