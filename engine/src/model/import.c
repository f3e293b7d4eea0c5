#include "model/import.h"

#include "base/error.h"
#include "model/absent.h"
#include "model/convert.h"

#include <stdio.h>
#include <string.h>

static const size_t MAX_BRANCH_BYTES = (size_t)256 << 20;

static bool is_default_domain(const char *domain)
{
    return !*domain || strcmp(domain, "ai.onnx") == 0;
}

int64_t eng_convert_opset(const struct onnx_opset *opsets, size_t n, const char *domain)
{
    for (size_t i = 0; i < n; i++) {
        const char *have = opsets[i].domain;
        if (strcmp(have, domain) == 0 || (is_default_domain(have) && is_default_domain(domain)))
            return opsets[i].version;
    }
    return 0;
}

static enum eng_status check_opsets(const struct onnx_model *onnx, struct eng_error *err)
{
    int64_t opset = eng_convert_opset(onnx->opsets, onnx->n_opsets, "");
    if (opset == 0)
        return eng_fail(err, ENG_FORMAT, "the file imports no operator set of the domain ai.onnx");
    if (opset < ENG_OPSET_MIN || opset > ENG_OPSET_MAX)
        return eng_fail(err, ENG_UNSUPPORTED, "the file uses opset %lld, wanted %d to %d",
                        (long long)opset, ENG_OPSET_MIN, ENG_OPSET_MAX);
    return ENG_OK;
}

/* ---- names ---- */

bool eng_scope_find(const struct eng_scope *scope, const char *name, int *value)
{
    for (; scope; scope = scope->parent) {
        int number = eng_names_find(&scope->values, name);
        if (number < 0) continue;
        *value = number == 0 ? ENG_NO_VALUE : number - 1;
        return true;
    }
    return false;
}

enum eng_status eng_scope_put(struct eng_scope *scope, const char *name, int value,
                              struct eng_error *err)
{
    if (eng_names_find(&scope->values, name) >= 0)
        return eng_fail(err, ENG_FORMAT, "value '%s' is defined twice; names must be unique", name);
    if (!eng_names_put(&scope->values, name, value == ENG_NO_VALUE ? 0 : value + 1))
        return eng_fail_memory(err, "a value's name");
    return ENG_OK;
}

/* In the main graph names stay; others get the path before them, and a number if that is taken. */
const char *eng_import_name(struct eng_import *import, const struct eng_scope *scope,
                            const char *name)
{
    struct eng_graph *graph = import->graph;
    if (!*scope->path) return name;
    size_t n_bytes = strlen(scope->path) + strlen(name) + 32;
    char *text = eng_arena_alloc(&graph->arena, n_bytes, 1);
    if (!text) return NULL;
    snprintf(text, n_bytes, "%s/%s", scope->path, name);
    for (size_t i = graph->n_values;
         eng_names_find(&import->names, text) >= 0 || eng_graph_find(graph, text) != ENG_NO_VALUE;
         i++)
        snprintf(text, n_bytes, "%s/%s.%zu", scope->path, name, i);
    return text;
}

static bool collect_names(struct eng_import *import)
{
    const struct onnx_model *onnx = import->onnx;
    for (size_t i = 0; i < onnx->n_initializers; i++)
        if (!eng_names_put(&import->names, onnx->initializers[i].name, 0)) return false;
    for (size_t i = 0; i < onnx->n_inputs; i++)
        if (!eng_names_put(&import->names, onnx->inputs[i].name, 0)) return false;
    for (size_t i = 0; i < onnx->n_nodes; i++)
        for (size_t k = 0; k < onnx->nodes[i].n_outputs; k++)
            if (!eng_names_put(&import->names, onnx->nodes[i].outputs[k], 0)) return false;
    return true;
}

/* ---- what a graph begins with ---- */

enum eng_status eng_import_constants(struct eng_import *import, struct eng_scope *scope,
                                     const struct onnx_named_tensor *tensors, size_t n,
                                     struct eng_arena *from, struct eng_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int value;
        const char *name = eng_import_name(import, scope, tensors[i].name);
        if (!name) return eng_fail_memory(err, "a constant's name");
        enum eng_status status =
            eng_graph_add_constant_take(import->graph, name, &tensors[i].tensor, from, &value, err);
        if (status == ENG_OK) status = eng_scope_put(scope, tensors[i].name, value, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* Files of IR version 3 list the initializers among the inputs too; those are constants here. */
static enum eng_status import_graph_inputs(struct eng_import *import, struct eng_scope *scope,
                                           struct eng_error *err)
{
    for (size_t i = 0; i < import->onnx->n_inputs; i++) {
        const struct onnx_value_info *input = &import->onnx->inputs[i];
        int value;
        if (eng_scope_find(scope, input->name, &value)) continue;
        if (input->shape.rank < 0)
            return eng_fail(err, ENG_UNSUPPORTED, "input '%s' has no shape, wanted one",
                            input->name);
        /* Weights of float16 are widened on reading, so the graph computes in float32. */
        enum eng_dtype dtype = input->dtype == ENG_FLOAT16 ? ENG_FLOAT32 : input->dtype;
        enum eng_status status =
            eng_graph_add_input(import->graph, input->name, dtype, &input->shape, &value, err);
        if (status == ENG_OK) status = eng_scope_put(scope, input->name, value, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* ---- nodes ---- */

/* A value that is not there yet, or never will be. */
static enum eng_status refuse_input(const struct onnx_model *onnx, const char *name,
                                    struct eng_error *err)
{
    char label[200];
    for (size_t i = 0; i < onnx->n_nodes; i++)
        for (size_t k = 0; k < onnx->nodes[i].n_outputs; k++)
            if (strcmp(onnx->nodes[i].outputs[k], name) == 0)
                return eng_fail(err, ENG_FORMAT,
                                "input '%s' is the output of %s, which does not stand before; "
                                "wanted nodes in the order of computation, without cycles",
                                name, onnx_node_label(&onnx->nodes[i], i, label, sizeof label));
    return eng_fail(err, ENG_FORMAT,
                    "input '%s' is neither an input, an initializer nor the output of an earlier "
                    "node",
                    name);
}

enum eng_status eng_import_inputs(struct eng_import *import, const struct eng_scope *scope,
                                  const struct onnx_node *node, int **out, struct eng_error *err)
{
    int *in = eng_arena_alloc(&import->graph->arena, node->n_inputs + 1, sizeof *in);
    if (!in) return eng_fail_memory(err, "a node's inputs");
    for (size_t k = 0; k < node->n_inputs; k++) {
        in[k] = ENG_NO_VALUE;
        if (*node->inputs[k] && !eng_scope_find(scope, node->inputs[k], &in[k]))
            return refuse_input(import->onnx, node->inputs[k], err);
    }
    *out = in;
    return ENG_OK;
}

/* What the outputs are called in the graph. */
static enum eng_status name_outputs(struct eng_import *import, const struct eng_scope *scope,
                                    const struct onnx_node *node, const char *const **out,
                                    struct eng_error *err)
{
    const char **names = eng_arena_alloc(&import->graph->arena, node->n_outputs + 1, sizeof *names);
    for (size_t k = 0; names && k < node->n_outputs; k++) {
        names[k] = *node->outputs[k] ? eng_import_name(import, scope, node->outputs[k]) : "";
        if (!names[k]) names = NULL;
    }
    *out = names;
    return names ? ENG_OK : eng_fail_memory(err, "a node's outputs");
}

static enum eng_status bind_outputs(const struct eng_graph *graph, struct eng_scope *scope,
                                    const struct onnx_node *node, struct eng_error *err)
{
    const struct eng_node *made = &graph->nodes[graph->n_nodes - 1];
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && k < node->n_outputs; k++)
        if (*node->outputs[k]) status = eng_scope_put(scope, node->outputs[k], made->out[k], err);
    return status;
}

/* Everything that eng_graph_add_node does not say itself. */
struct prepared {
    int64_t opset;
    int *in;
    const char *const *out_names;
    const struct eng_attr *attrs;
    size_t n_attrs;
};

static enum eng_status prepare(struct eng_import *import, const struct eng_scope *scope,
                               const struct onnx_node *node, struct prepared *out,
                               struct eng_error *err)
{
    const char *reason = eng_absent_reason(node->domain, node->op_type);
    if (reason) return eng_fail(err, ENG_UNSUPPORTED, "%s", reason);
    out->opset = eng_convert_opset(scope->opsets, scope->n_opsets, node->domain);
    if (out->opset == 0)
        return eng_fail(err, ENG_FORMAT, "%s imports no operator set of '%s'",
                        scope->function ? "the function" : "the file", node->domain);
    enum eng_status status = eng_import_inputs(import, scope, node, &out->in, err);
    if (status == ENG_OK) status = name_outputs(import, scope, node, &out->out_names, err);
    if (status == ENG_OK)
        status = eng_import_attrs(import, scope, node, &out->attrs, &out->n_attrs, err);
    return status;
}

static enum eng_status import_plain(struct eng_import *import, struct eng_scope *scope,
                                    const struct onnx_node *node, size_t index,
                                    struct eng_error *err)
{
    struct prepared p;
    const char *name = node->name;
    enum eng_status status = prepare(import, scope, node, &p, err);
    if (status == ENG_OK && *name && !(name = eng_import_name(import, scope, name)))
        status = eng_fail_memory(err, "a node's name");
    if (status != ENG_OK) {
        char label[200];
        eng_error_context(err, "%s", onnx_node_label(node, index, label, sizeof label));
        return status;
    }
    status =
        eng_graph_add_node(import->graph, name, node->domain, node->op_type, (int)p.opset, p.attrs,
                           p.n_attrs, p.in, node->n_inputs, p.out_names, node->n_outputs, err);
    return status == ENG_OK ? bind_outputs(import->graph, scope, node, err) : status;
}

static enum eng_status import_node(struct eng_import *import, struct eng_scope *scope,
                                   const struct onnx_node *node, size_t index,
                                   struct eng_error *err)
{
    const struct onnx_body *function = eng_import_function(import->onnx, node);
    bool is_if = is_default_domain(node->domain) && strcmp(node->op_type, "If") == 0;
    if (!function && !is_if) return import_plain(import, scope, node, index, err);
    enum eng_status status = function ? eng_import_call(import, scope, node, function, err)
                                      : eng_import_if(import, scope, node, err);
    char label[200];
    if (status != ENG_OK)
        eng_error_context(err, "%s", onnx_node_label(node, index, label, sizeof label));
    return status;
}

enum eng_status eng_import_nodes(struct eng_import *import, struct eng_scope *scope,
                                 const struct onnx_node *nodes, size_t n, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < n; i++)
        status = import_node(import, scope, &nodes[i], i, err);
    return status;
}

/* ---- the whole ---- */

static enum eng_status import_outputs(struct eng_import *import, const struct eng_scope *scope,
                                      struct eng_error *err)
{
    const struct onnx_model *onnx = import->onnx;
    if (onnx->n_outputs == 0)
        return eng_fail(err, ENG_FORMAT, "the graph has no output, wanted at least one");
    for (size_t i = 0; i < onnx->n_outputs; i++) {
        int value;
        if (!eng_scope_find(scope, onnx->outputs[i].name, &value))
            return eng_fail(err, ENG_FORMAT, "output '%s' is not computed by any node",
                            onnx->outputs[i].name);
        enum eng_status status = eng_graph_add_output(import->graph, value, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static enum eng_status import_all(struct eng_import *import, struct eng_scope *scope,
                                  struct eng_error *err)
{
    const struct onnx_model *onnx = import->onnx;
    struct eng_graph *graph = import->graph;
    graph->name = eng_arena_string(&graph->arena, onnx->graph_name, strlen(onnx->graph_name));
    if (!graph->name) return eng_fail_memory(err, "the graph's name");
    if (!collect_names(import)) return eng_fail_memory(err, "the graph's names");
    enum eng_status status = check_opsets(onnx, err);
    if (status == ENG_OK)
        status = eng_import_constants(import, scope, onnx->initializers, onnx->n_initializers,
                                      import->take, err);
    if (status == ENG_OK) status = import_graph_inputs(import, scope, err);
    if (status == ENG_OK) status = eng_import_nodes(import, scope, onnx->nodes, onnx->n_nodes, err);
    return status == ENG_OK ? import_outputs(import, scope, err) : status;
}

static enum eng_status run(struct eng_import *import, struct eng_error *err)
{
    const struct onnx_model *onnx = import->onnx;
    struct eng_scope scope = {.path = "", .opsets = onnx->opsets, .n_opsets = onnx->n_opsets};
    import->left_branch_bytes = MAX_BRANCH_BYTES;
    eng_condition_init(&import->condition, import->graph);
    enum eng_status status = import_all(import, &scope, err);
    eng_condition_fini(&import->condition);
    eng_names_fini(&scope.values);
    eng_names_fini(&import->names);
    return status;
}

enum eng_status eng_convert_import(const struct onnx_model *onnx, struct eng_graph *graph,
                                   struct eng_error *err)
{
    return run(&(struct eng_import){.onnx = onnx, .graph = graph}, err);
}

enum eng_status eng_convert_import_take(struct onnx_model *onnx, struct eng_graph *graph,
                                        void (*settle)(void *data), void *data,
                                        struct eng_error *err)
{
    struct eng_import import = {
        .onnx = onnx, .take = &onnx->arena, .graph = graph, .settle = settle, .settle_data = data};
    graph->weights = onnx->weights;
    onnx->weights = (struct eng_memory){0};
    return run(&import, err);
}
