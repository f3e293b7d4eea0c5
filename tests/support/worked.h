/* A worked example: a small graph of numbers, run forward and backward by the engine. */
#ifndef TESTS_WORKED_H
#define TESTS_WORKED_H

#include "graph/exec.h"
#include "net.h"

struct worked {
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
    float **grads; /* [n_values] of the constants */
};

static inline void worked_init(struct worked *w)
{
    memset(w, 0, sizeof *w);
    net_init(&w->net, 3);
}

/* A number of the example, whose gradient is wanted. */
static inline int worked_number(struct worked *w, const char *name, float value)
{
    return net_constant(&w->net, name, ENG_FLOAT32, NET_SHAPE(1), &value);
}

static inline int worked_binary(struct worked *w, const char *op, const char *name, int a, int b)
{
    return net_node(&w->net, op, name, (int[]){a, b}, 2, NULL, 0);
}

static inline int worked_unary(struct worked *w, const char *op, const char *name, int a)
{
    return net_node(&w->net, op, name, &a, 1, NULL, 0);
}

/* y = x W' + b, W stored [outputs, inputs]. */
static inline int worked_gemm(struct worked *w, const char *name, int x, int weight, int bias)
{
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    return net_node(&w->net, "Gemm", name, (int[]){x, weight, bias}, 3, &trans_b, 1);
}

/* Plans the graph, every constant trainable, and runs it forward. */
static inline void worked_forward(struct worked *w, int output)
{
    struct eng_graph *graph = &w->net.graph;
    struct eng_error err = {0};
    net_output(&w->net, output);
    w->grads = calloc(graph->n_values, sizeof *w->grads);
    assert_non_null(w->grads);
    for (size_t v = 0; v < graph->n_values; v++) {
        struct eng_value *value = &graph->values[v];
        value->trainable = value->kind == ENG_VALUE_CONSTANT;
        if (value->trainable)
            w->grads[v] = calloc((size_t)eng_shape_count(&value->tensor.shape), sizeof(float));
    }
    if (eng_plan_create(graph, ENG_PLAN_TRAINING, 1, false, &w->plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, w->plan->arena_bytes, NULL, &w->exec, NULL), ENG_OK);
    eng_exec_bind(w->exec, w->plan);
    eng_exec_bind_grads(w->exec, w->grads);
    eng_exec_forward(w->exec, 1);
}

static inline const float *worked_value(const struct worked *w, int value)
{
    return eng_exec_value(w->exec, value)->data;
}

/* dOutput/dOutput = seed [n], then backward. Gradients of constants stand in w->grads. */
static inline void worked_backward(struct worked *w, int output, const float *seed, size_t n)
{
    memcpy(eng_exec_seed_grad(w->exec, output), seed, n * sizeof *seed);
    eng_exec_backward(w->exec);
}

static inline void worked_fini(struct worked *w)
{
    for (size_t v = 0; w->grads && v < w->net.graph.n_values; v++)
        free(w->grads[v]);
    free(w->grads);
    eng_exec_destroy(w->exec);
    eng_plan_destroy(w->plan);
    net_fini(&w->net);
}

#endif
