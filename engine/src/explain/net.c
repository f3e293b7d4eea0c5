#include "explain/net.h"

#include "base/error.h"
#include "explain/cut.h"
#include "kernels/softmax.h"

#include <string.h>

enum { MAX_BATCH = 32 };
static const size_t MAX_ARENA_BYTES = (size_t)2 << 30;
static const double MAX_RUN_FLOPS = 5e9; /* some tenths of a second on a slow core */

/* source: a value of the model's graph, or ENG_NO_VALUE. */
static enum eng_status cut_graph(struct eng_explain_net *net, int source, struct eng_error *err)
{
    const struct eng_graph *whole = &net->model->graph;
    int score = eng_explain_find_target(net->model).value, answer = net->model->answer;
    int outputs[2] = {score, answer};
    bool differentiable = source != ENG_NO_VALUE;
    enum eng_status status =
        eng_explain_cut(whole, outputs, score == answer || differentiable ? 1 : 2, differentiable,
                        &net->graph, err);
    if (status != ENG_OK) return status;
    net->input = eng_graph_find(&net->graph, whole->values[whole->inputs[0]].name);
    net->score = eng_graph_find(&net->graph, whole->values[score].name);
    net->answer = eng_graph_find(&net->graph, whole->values[answer].name);
    if (!differentiable) return ENG_OK;
    net->source = eng_graph_find(&net->graph, whole->values[source].name);
    if (net->source == ENG_NO_VALUE)
        return eng_fail(err, ENG_UNSUPPORTED, "the score does not depend on '%s'",
                        whole->values[source].name);
    net->graph.values[net->source].wants_grad = true;
    return ENG_OK;
}

static enum eng_status make_plan(struct eng_explain_net *net, size_t batch, struct eng_error *err)
{
    struct eng_plan *plan;
    enum eng_plan_mode mode = net->source == ENG_NO_VALUE ? ENG_PLAN_INFERENCE : ENG_PLAN_TRAINING;
    enum eng_status status =
        eng_plan_create(&net->graph, mode, (int64_t)batch, net->model->override_batch, &plan, err);
    if (status != ENG_OK) return status;
    eng_plan_destroy(net->plan);
    net->plan = plan;
    net->batch = batch;
    return ENG_OK;
}

/* As many samples as the limits on memory and time let run together, judged by one. */
static size_t largest_batch(const struct eng_explain_net *net, size_t n_samples)
{
    size_t most = net->model->n_plans > 1 ? MAX_BATCH : 1;
    size_t by_memory = MAX_ARENA_BYTES / (net->plan->arena_bytes + 1);
    double passes = net->source == ENG_NO_VALUE ? 1 : 3; /* back to inputs and sums: about 2 */
    double by_time = MAX_RUN_FLOPS / (passes * net->plan->flops + 1);
    most = n_samples < most ? n_samples : most;
    most = by_memory < most ? by_memory : most;
    most = by_time < (double)most ? (size_t)by_time : most;
    return most > 1 ? most : 1;
}

static bool has_gradient(const struct eng_explain_net *net, int value)
{
    return value != ENG_NO_VALUE && net->plan->grad_offset[value] != ENG_NO_PLACE;
}

static bool any_has_gradient(const struct eng_explain_net *net, const int *values, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (has_gradient(net, values[k])) return true;
    return false;
}

/* Integers and bools let no gradient through: whether some way to the score has none of them. */
static enum eng_status check_flow(const struct eng_explain_net *net, struct eng_error *err)
{
    if (has_gradient(net, net->score)) return ENG_OK;
    for (size_t i = 0; i < net->graph.n_nodes; i++) {
        const struct eng_node *node = &net->graph.nodes[i];
        if (net->plan->nodes[i].is_known || !any_has_gradient(net, node->in, node->n_in) ||
            any_has_gradient(net, node->out, node->n_out))
            continue;
        enum eng_dtype dtype = net->plan->tensors[node->out[0]].dtype;
        return eng_node_fail(node,
                             eng_fail(err, ENG_UNSUPPORTED,
                                      "its output is of type %s, which lets no gradient through",
                                      eng_dtype_name(dtype)),
                             err);
    }
    return eng_fail(err, ENG_UNSUPPORTED, "the score does not depend on '%s'",
                    net->graph.values[net->source].name);
}

static enum eng_status plan_within_limits(struct eng_explain_net *net, size_t n_samples,
                                          struct eng_error *err)
{
    enum eng_status status = make_plan(net, 1, err);
    if (status == ENG_OK && net->source != ENG_NO_VALUE) status = check_flow(net, err);
    if (status != ENG_OK) return status;
    size_t batch = largest_batch(net, n_samples);
    if (batch > 1) status = make_plan(net, batch, err);
    if (status == ENG_OK && batch > 1 && net->plan->arena_bytes > MAX_ARENA_BYTES)
        status = make_plan(net, 1, err);
    if (status == ENG_OK && net->plan->arena_bytes > MAX_ARENA_BYTES)
        return eng_fail(err, ENG_LIMIT,
                        "explaining one picture takes %zu MiB for the network's values, wanted at "
                        "most %zu",
                        net->plan->arena_bytes >> 20, MAX_ARENA_BYTES >> 20);
    return status;
}

static enum eng_status plan_net(const struct eng_model *model, int source, size_t n_samples,
                                struct eng_explain_net *net, struct eng_error *err)
{
    *net = (struct eng_explain_net){.model = model, .source = ENG_NO_VALUE};
    if (source != ENG_NO_VALUE && model->symbolic[source].dtype != ENG_FLOAT32)
        return eng_fail(
            err, ENG_UNSUPPORTED, "'%s' is of type %s; wanted float to compute a gradient",
            model->graph.values[source].name, eng_dtype_name(model->symbolic[source].dtype));
    enum eng_status status = cut_graph(net, source, err);
    return status == ENG_OK ? plan_within_limits(net, n_samples, err) : status;
}

enum eng_status eng_explain_gradient_check(const struct eng_model *model, int source,
                                           struct eng_error *err)
{
    struct eng_explain_net net;
    enum eng_status status = plan_net(model, source, 1, &net, err);
    eng_explain_net_fini(&net);
    return status;
}

enum eng_status eng_explain_net_create(const struct eng_model *model, size_t n_samples,
                                       struct eng_pool *pool, struct eng_explain_net *net,
                                       struct eng_error *err)
{
    return eng_explain_gradient_create(model, ENG_NO_VALUE, n_samples, pool, net, err);
}

enum eng_status eng_explain_gradient_create(const struct eng_model *model, int source,
                                            size_t n_samples, struct eng_pool *pool,
                                            struct eng_explain_net *net, struct eng_error *err)
{
    enum eng_status status = plan_net(model, source, n_samples, net, err);
    if (status == ENG_OK)
        status = eng_exec_create(&net->graph, net->plan->arena_bytes, pool, &net->exec, err);
    if (status == ENG_OK) eng_exec_bind(net->exec, net->plan);
    return status;
}

void eng_explain_net_fini(struct eng_explain_net *net)
{
    eng_exec_destroy(net->exec);
    eng_plan_destroy(net->plan);
    eng_graph_fini(&net->graph);
    *net = (struct eng_explain_net){0};
}

void eng_explain_net_put(struct eng_explain_net *net, size_t row, const float *sample)
{
    size_t n = net->model->sample_count;
    eng_model_put_samples(eng_exec_value(net->exec, net->input), row * n, sample, n);
}

void eng_explain_net_run(struct eng_explain_net *net)
{
    eng_exec_forward(net->exec, 0);
}

const float *eng_explain_net_gradient(struct eng_explain_net *net, size_t first, size_t n,
                                      size_t class_index)
{
    float *seed = eng_exec_seed_grad(net->exec, net->score);
    for (size_t row = first; row < n; row++)
        seed[row * net->model->n_answers + class_index] = 1;
    eng_exec_backward(net->exec);
    return eng_exec_gradient(net->exec, net->source);
}

double eng_explain_net_score(const struct eng_explain_net *net, size_t row, size_t class_index)
{
    float score;
    eng_model_get_answers(eng_exec_value(net->exec, net->score),
                          row * net->model->n_answers + class_index, &score, 1);
    return (double)score;
}

void eng_explain_net_answers(const struct eng_explain_net *net, size_t row, float *answers)
{
    size_t n = net->model->n_answers;
    struct eng_softmax softmax = {.outer = 1, .n = n, .inner = 1};
    eng_model_get_answers(eng_exec_value(net->exec, net->answer), row * n, answers, n);
    if (net->model->source.card.add_softmax) eng_softmax_forward(&softmax, answers, answers);
}

enum eng_status eng_explain_go_on(const struct eng_explain_progress *progress,
                                  struct eng_error *err)
{
    const struct eng_explain_request *request = progress->request;
    double done = progress->n_all ? (double)progress->n_done / (double)progress->n_all : 0;
    if (!request->go_on || request->go_on(request->go_on_ctx, done)) return ENG_OK;
    return eng_fail(err, ENG_CANCELLED, "the explanation was stopped after %zu of %zu runs",
                    progress->n_done, progress->n_all);
}
