#include "graph/passes.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "graph/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of a kilobyte can ask for constants of gigabytes, or for hours of work to make them. The
 * largest honest one known, ONNX's light_vgg19, makes 548 MiB of weights by ConstantOfShape. */
static const size_t MAX_FOLDED_BYTES = (size_t)768 << 20;
static const double MAX_FOLDED_WORK = 4e9;

/* What folding may still spend on this graph. */
struct budget {
    size_t n_bytes;
    double work;
};

/* ---- constant folding ---- */

static bool all_inputs_constant(const struct eng_graph *graph, const struct eng_node *node)
{
    for (size_t k = 0; k < node->n_in; k++)
        if (node->in[k] != ENG_NO_VALUE && graph->values[node->in[k]].kind != ENG_VALUE_CONSTANT)
            return false;
    return true;
}

static enum eng_status allocate_outputs(struct eng_graph *graph, const struct eng_node *node,
                                        struct budget *budget, struct eng_error *err)
{
    for (size_t k = 0; k < node->n_out; k++) {
        if (node->out[k] == ENG_NO_VALUE) continue;
        struct eng_tensor *tensor = &graph->values[node->out[k]].tensor;
        int64_t n_bytes = eng_tensor_bytes(tensor);
        char text[96];
        if (n_bytes < 0 || (uint64_t)n_bytes > budget->n_bytes)
            return eng_fail(err, ENG_LIMIT,
                            "with output %zu of shape %s, the constants computed from constants "
                            "would take more than %zu MiB",
                            k, eng_shape_format(&tensor->shape, text, sizeof text),
                            MAX_FOLDED_BYTES >> 20);
        budget->n_bytes -= (size_t)n_bytes;
        tensor->data = eng_arena_alloc(&graph->arena, (size_t)n_bytes + ENG_ALIGN, 1);
        if (!tensor->data) return eng_fail_memory(err, "a folded constant");
    }
    return ENG_OK;
}

static enum eng_status spend_work(const struct eng_node *node, const struct eng_op_infer *q,
                                  struct budget *budget, struct eng_error *err)
{
    budget->work -= eng_op_work(node->op, q);
    if (budget->work >= 0) return ENG_OK;
    return eng_fail(err, ENG_LIMIT,
                    "constants computed from constants would take more than %.0f operations",
                    MAX_FOLDED_WORK);
}

/* Rewrites for inference may want the integers back. */
static enum eng_status note_dequantised(struct eng_graph *graph, const struct eng_node *node,
                                        const struct eng_node_view *view, struct eng_error *err)
{
    struct eng_attr attrs[2];
    if (node->op->domain[0] != '\0' || strcmp(node->op->name, "DequantizeLinear") != 0)
        return ENG_OK;
    struct eng_dequantised *from = eng_arena_alloc(&graph->arena, 1, sizeof *from);
    if (!from) return eng_fail_memory(err, "a folded constant");
    *from = (struct eng_dequantised){.q = *view->in[0], .scale = *view->in[1], .axis = 1};
    if (node->n_in > 2 && view->in[2]) from->zero = *view->in[2];
    size_t n = node->op->n_attrs <= 2 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    bool has_blocks = node->op->n_attrs > 2;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attrs[i].name, "axis") == 0) from->axis = attrs[i].i;
        has_blocks |= strcmp(attrs[i].name, "block_size") == 0;
    }
    if (!has_blocks) graph->values[node->out[0]].dequantised = from;
    return ENG_OK;
}

/* infer and forward of one node, its outputs becoming constants. */
static enum eng_status run_once(struct eng_graph *graph, const struct eng_node *node,
                                struct eng_node_view *view, void *state, struct budget *budget,
                                struct eng_error *err)
{
    view->q.state = state;
    enum eng_status status = eng_op_infer(node->op, &view->q, err);
    if (status == ENG_OK) status = spend_work(node, &view->q, budget, err);
    if (status == ENG_OK) status = allocate_outputs(graph, node, budget, err);
    if (status != ENG_OK) return status;
    void *scratch = eng_alloc_aligned(view->q.scratch_bytes);
    if (!scratch) return eng_fail_memory(err, "a folded constant");
    struct eng_op_call call = {.attrs = node->attrs,
                               .state = state,
                               .opset = node->opset,
                               .n_in = node->n_in,
                               .in = view->in,
                               .n_out = node->n_out,
                               .out = view->out,
                               .scratch = scratch};
    if (!eng_outputs_are_empty(view->out, node->n_out)) eng_op_forward(node->op, &call);
    free(scratch);
    for (size_t k = 0; k < node->n_out; k++)
        if (node->out[k] != ENG_NO_VALUE) graph->values[node->out[k]].kind = ENG_VALUE_CONSTANT;
    return note_dequantised(graph, node, view, err);
}

static enum eng_status fold_node(struct eng_graph *graph, const struct eng_node *node,
                                 struct budget *budget, struct eng_error *err)
{
    struct eng_node_view view;
    void *state = eng_calloc(1, node->op->state_bytes + 1);
    if (!state || !eng_node_view_init(graph, node, &view)) {
        free(state);
        return eng_fail_memory(err, "a folded constant");
    }
    enum eng_status status = run_once(graph, node, &view, state, budget, err);
    eng_node_view_fini(&view);
    free(state);
    return status == ENG_OK ? ENG_OK : eng_node_fail(node, status, err);
}

enum eng_status eng_passes_fold_constants(struct eng_graph *graph, struct eng_error *err)
{
    struct budget budget = {.n_bytes = MAX_FOLDED_BYTES, .work = MAX_FOLDED_WORK};
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++) {
        if (!all_inputs_constant(graph, &graph->nodes[i])) continue;
        status = fold_node(graph, &graph->nodes[i], &budget, err);
        links.removed[i] = true;
    }
    if (status == ENG_OK) eng_links_remove_marked(graph, &links);
    eng_links_fini(&links);
    return status;
}

static void remap(int *values, size_t n, const int *to)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != ENG_NO_VALUE) values[i] = to[values[i]];
}

static void mark(bool *used, const int *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != ENG_NO_VALUE) used[values[i]] = true;
}

/* ---- nodes without effect ---- */

static bool is_no_op(const struct eng_graph *graph, const struct eng_links *links,
                     const bool *is_output, const struct eng_node *node)
{
    if (!(node->op->flags & ENG_OP_NO_OP)) return false;
    for (size_t k = 1; k < node->n_out; k++)
        if (node->out[k] != ENG_NO_VALUE && links->uses[node->out[k]] > 0) return false;
    /* The outputs keep the names that the file gives them. */
    if (is_output[node->out[0]]) return false;
    /* A Dropout that is told its training_mode (input 2) decides for itself. */
    if (node->n_in > 2 && node->in[2] != ENG_NO_VALUE) return false;
    /* A graph input may not become an output: outputs have memory of their own. */
    return graph->values[node->in[0]].kind == ENG_VALUE_COMPUTED;
}

/* to: what stands for each value. Nodes come after those that they read. */
static void drop_no_ops(struct eng_graph *graph, struct eng_links *links, bool *is_output, int *to)
{
    mark(is_output, graph->outputs, graph->n_outputs);
    for (size_t v = 0; v < graph->n_values; v++)
        to[v] = (int)v;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct eng_node *node = &graph->nodes[i];
        remap(node->in, node->n_in, to);
        links->removed[i] = is_no_op(graph, links, is_output, node);
        if (links->removed[i]) to[node->out[0]] = node->in[0];
    }
    eng_links_remove_marked(graph, links);
}

enum eng_status eng_passes_drop_no_ops(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    bool *is_output = eng_calloc(graph->n_values, sizeof *is_output);
    int *to = eng_calloc(graph->n_values, sizeof *to);
    if (is_output && to)
        drop_no_ops(graph, &links, is_output, to);
    else
        status = eng_fail_memory(err, "a graph pass");
    free(is_output);
    free(to);
    eng_links_fini(&links);
    return status;
}

/* ---- what nothing reads ---- */

/* Drops the values that no node, input or output mentions, and numbers the others anew. */
static enum eng_status compact(struct eng_graph *graph, bool *used, int *to, struct eng_error *err)
{
    mark(used, graph->inputs, graph->n_inputs);
    mark(used, graph->outputs, graph->n_outputs);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        mark(used, graph->nodes[i].in, graph->nodes[i].n_in);
        mark(used, graph->nodes[i].out, graph->nodes[i].n_out);
    }
    eng_names_fini(&graph->index);
    size_t kept = 0;
    for (size_t v = 0; v < graph->n_values; v++) {
        if (!used[v]) continue;
        to[v] = (int)kept;
        graph->values[kept++] = graph->values[v];
        if (!eng_names_put(&graph->index, graph->values[to[v]].name, to[v]))
            return eng_fail_memory(err, "a graph pass");
    }
    graph->n_values = kept;
    remap(graph->inputs, graph->n_inputs, to);
    remap(graph->outputs, graph->n_outputs, to);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        remap(graph->nodes[i].in, graph->nodes[i].n_in, to);
        remap(graph->nodes[i].out, graph->nodes[i].n_out, to);
    }
    return ENG_OK;
}

/* From the back: a node none of whose outputs is read goes, and with it its readings. */
enum eng_status eng_passes_drop_dead_nodes(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        bool read = false;
        for (size_t k = 0; k < node->n_out; k++)
            read |= node->out[k] != ENG_NO_VALUE && links.uses[node->out[k]] > 0;
        if (read) continue;
        links.removed[i] = true;
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] != ENG_NO_VALUE) links.uses[node->in[k]]--;
    }
    eng_links_remove_marked(graph, &links);
    eng_links_fini(&links);
    return ENG_OK;
}

enum eng_status eng_passes_drop_dead(struct eng_graph *graph, struct eng_error *err)
{
    enum eng_status status = eng_passes_drop_dead_nodes(graph, err);
    if (status != ENG_OK) return status;
    bool *used = eng_calloc(graph->n_values, sizeof *used);
    int *to = eng_calloc(graph->n_values, sizeof *to);
    status = used && to ? compact(graph, used, to, err) : eng_fail_memory(err, "a graph pass");
    free(used);
    free(to);
    return status;
}

enum eng_status eng_passes_optimise(struct eng_graph *graph, struct eng_error *err)
{
    enum eng_status status = eng_passes_fold_constants(graph, err);
    if (status == ENG_OK) status = eng_passes_drop_no_ops(graph, err);
    if (status == ENG_OK) status = eng_passes_fold_affine(graph, err);
    if (status == ENG_OK) status = eng_passes_fuse_activations(graph, err);
    if (status == ENG_OK) status = eng_passes_drop_dead(graph, err);
    return status;
}
