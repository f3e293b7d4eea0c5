/* Nodes in place of one: calls of the model's functions, and If's branches. */
#include "base/error.h"
#include "model/convert.h"
#include "model/import.h"

#include <string.h>

/* Functions that call functions, branches in branches; ONNX allows no recursion. */
enum { MAX_DEPTH = 16 };

const struct onnx_body *eng_import_function(const struct onnx_model *onnx,
                                            const struct onnx_node *node)
{
    for (size_t i = 0; i < onnx->n_functions; i++)
        if (strcmp(onnx->functions[i].name, node->op_type) == 0 &&
            strcmp(onnx->functions[i].domain, node->domain) == 0)
            return &onnx->functions[i];
    return NULL;
}

/* ---- attributes ---- */

static const struct eng_attr *find_attr(const struct eng_attr *attrs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, name) == 0) return &attrs[i];
    return NULL;
}

/* What an attribute of a node inside stands for; NULL if the call leaves it out. */
static const struct eng_attr *resolve(const struct eng_scope *scope, const struct eng_attr *attr)
{
    while (attr && attr->refers_to && scope && scope->function) {
        const struct eng_attr *given =
            find_attr(scope->call->attrs, scope->call->n_attrs, attr->refers_to);
        if (!given)
            return find_attr(scope->function->defaults, scope->function->n_defaults,
                             attr->refers_to);
        attr = given; /* which may stand for one of the caller's call */
        scope = scope->caller;
    }
    return attr;
}

enum eng_status eng_import_attrs(struct eng_import *import, const struct eng_scope *scope,
                                 const struct onnx_node *node, const struct eng_attr **out,
                                 size_t *n, struct eng_error *err)
{
    *out = node->attrs;
    *n = node->n_attrs;
    if (!scope->function) return ENG_OK;
    struct eng_attr *attrs =
        eng_arena_alloc(&import->graph->arena, node->n_attrs + 1, sizeof *attrs);
    if (!attrs) return eng_fail_memory(err, "a node's attributes");
    *n = 0;
    for (size_t i = 0; i < node->n_attrs; i++) {
        const struct eng_attr *meant = resolve(scope, &node->attrs[i]);
        if (!meant) continue;
        attrs[*n] = *meant;
        attrs[(*n)++].name = node->attrs[i].name;
    }
    *out = attrs;
    return ENG_OK;
}

/* ---- both ---- */

static enum eng_status check_depth(const struct eng_scope *scope, struct eng_error *err)
{
    if (scope->depth < MAX_DEPTH) return ENG_OK;
    return eng_fail(err, ENG_LIMIT, "functions and branches are nested deeper than %d", MAX_DEPTH);
}

/* The name of the node, or of its first output, inside the names that it stands in itself. */
static const char *path_of(struct eng_import *import, const struct eng_scope *scope,
                           const struct onnx_node *node)
{
    const char *name = *node->name ? node->name : node->op_type;
    return *scope->path ? eng_import_name(import, scope, name) : name;
}

/* The node's outputs are what the body calls so; an Identity keeps their names. */
static enum eng_status give_outputs(struct eng_import *import, struct eng_scope *scope,
                                    const struct onnx_node *node, const struct onnx_body *body,
                                    const struct eng_scope *inner, struct eng_error *err)
{
    int opset = (int)eng_convert_opset(import->onnx->opsets, import->onnx->n_opsets, "");
    for (size_t k = 0; k < node->n_outputs; k++) {
        int value;
        if (!*node->outputs[k]) continue;
        if (!eng_scope_find(inner, body->outputs[k], &value) || value == ENG_NO_VALUE)
            return eng_fail(err, ENG_FORMAT, "output '%s' is not computed by any node",
                            body->outputs[k]);
        const char *name = eng_import_name(import, scope, node->outputs[k]);
        if (!name) return eng_fail_memory(err, "a value's name");
        enum eng_status status = eng_graph_add_node(import->graph, name, "", "Identity", opset,
                                                    NULL, 0, &value, 1, &name, 1, err);
        if (status != ENG_OK) return status;
        const struct eng_node *made = &import->graph->nodes[import->graph->n_nodes - 1];
        status = eng_scope_put(scope, node->outputs[k], made->out[0], err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* ---- functions ---- */

static bool has_attr(const struct onnx_body *function, const char *name)
{
    for (size_t i = 0; i < function->n_attrs; i++)
        if (strcmp(function->attrs[i], name) == 0) return true;
    return find_attr(function->defaults, function->n_defaults, name) != NULL;
}

static enum eng_status check_call(const struct onnx_node *node, const struct onnx_body *function,
                                  struct eng_error *err)
{
    if (node->n_inputs > function->n_inputs || node->n_outputs > function->n_outputs)
        return eng_fail(err, ENG_FORMAT,
                        "calls a function with %zu inputs and %zu outputs, wanted at most %zu and "
                        "%zu",
                        node->n_inputs, node->n_outputs, function->n_inputs, function->n_outputs);
    for (size_t i = 0; i < node->n_attrs; i++)
        if (!has_attr(function, node->attrs[i].name))
            return eng_fail(err, ENG_FORMAT, "the function has no attribute '%s'",
                            node->attrs[i].name);
    return ENG_OK;
}

static enum eng_status bind_inputs(struct eng_import *import, const struct eng_scope *scope,
                                   const struct onnx_node *node, const struct onnx_body *function,
                                   struct eng_scope *inner, struct eng_error *err)
{
    int *in;
    enum eng_status status = eng_import_inputs(import, scope, node, &in, err);
    for (size_t k = 0; status == ENG_OK && k < function->n_inputs; k++)
        status = eng_scope_put(inner, function->inputs[k],
                               k < node->n_inputs ? in[k] : ENG_NO_VALUE, err);
    return status;
}

enum eng_status eng_import_call(struct eng_import *import, struct eng_scope *scope,
                                const struct onnx_node *node, const struct onnx_body *function,
                                struct eng_error *err)
{
    struct eng_scope inner = {.path = path_of(import, scope, node),
                              .depth = scope->depth + 1,
                              .opsets = function->opsets,
                              .n_opsets = function->n_opsets,
                              .function = function,
                              .call = node,
                              .caller = scope};
    if (!inner.path) return eng_fail_memory(err, "a function's name");
    enum eng_status status = check_depth(scope, err);
    if (status == ENG_OK) status = check_call(node, function, err);
    if (status == ENG_OK) status = bind_inputs(import, scope, node, function, &inner, err);
    if (status == ENG_OK)
        status = eng_import_nodes(import, &inner, function->nodes, function->n_nodes, err);
    if (status == ENG_OK) status = give_outputs(import, scope, node, function, &inner, err);
    eng_names_fini(&inner.values);
    return status;
}

/* ---- branches ---- */

static enum eng_status import_branch(struct eng_import *import, struct eng_scope *scope,
                                     const struct onnx_node *node, const struct onnx_body *branch,
                                     struct eng_arena *arena, struct eng_error *err)
{
    struct eng_scope inner = *scope;
    inner.parent = scope;
    inner.depth++;
    inner.values = (struct eng_names){0};
    inner.path = path_of(import, scope, node);
    if (!inner.path) return eng_fail_memory(err, "a branch's name");
    if (branch->n_outputs != node->n_outputs)
        return eng_fail(err, ENG_FORMAT, "%s has %zu outputs, wanted %zu", branch->name,
                        branch->n_outputs, node->n_outputs);
    enum eng_status status = eng_import_constants(import, &inner, branch->initializers,
                                                  branch->n_initializers, arena, err);
    if (status == ENG_OK)
        status = eng_import_nodes(import, &inner, branch->nodes, branch->n_nodes, err);
    if (status == ENG_OK) status = give_outputs(import, scope, node, branch, &inner, err);
    eng_names_fini(&inner.values);
    return status;
}

static enum eng_status find_branch(struct eng_import *import, const struct eng_scope *scope,
                                   const struct onnx_node *node, const struct eng_attr **branch,
                                   struct eng_error *err)
{
    int *in;
    bool condition;
    if (node->n_inputs != 1 || !*node->inputs[0])
        return eng_fail(err, ENG_FORMAT, "has %zu inputs, wanted 1, the condition", node->n_inputs);
    enum eng_status status = eng_import_inputs(import, scope, node, &in, err);
    if (import->settle) import->settle(import->settle_data);
    if (status == ENG_OK) status = eng_condition_find(&import->condition, in[0], &condition, err);
    if (status != ENG_OK) return status;
    const char *name = condition ? "then_branch" : "else_branch";
    *branch = find_attr(node->attrs, node->n_attrs, name);
    if (!*branch) return eng_fail(err, ENG_FORMAT, "attribute '%s' is missing", name);
    if ((*branch)->n > import->left_branch_bytes)
        return eng_fail(err, ENG_LIMIT, "the branches that are taken hold too many bytes");
    import->left_branch_bytes -= (*branch)->n;
    return ENG_OK;
}

enum eng_status eng_import_if(struct eng_import *import, struct eng_scope *scope,
                              const struct onnx_node *node, struct eng_error *err)
{
    const struct eng_attr *attr;
    struct onnx_body branch;
    enum eng_status status = check_depth(scope, err);
    if (status == ENG_OK) status = find_branch(import, scope, node, &attr, err);
    if (status != ENG_OK) return status;
    struct eng_arena arena;
    eng_arena_init(&arena);
    status = onnx_branch_read(attr, scope->function != NULL, &arena, &branch, err);
    if (status == ENG_OK) status = import_branch(import, scope, node, &branch, &arena, err);
    eng_arena_fini(&arena);
    return status;
}
