#include "model/declared.h"

#include "base/error.h"
#include "graph/shape.h"

#include <string.h>

struct check {
    const struct onnx_model *onnx;
    const struct eng_graph *graph;
    struct eng_arena arena;
    struct eng_tensor *found; /* [n_values] -1 where a dimension follows the batch */
    bool *unsure;             /* [n_values] the shape follows from computed numbers */
    bool sizes;               /* the inputs' sizes are the file's, so those of all values are */
};

/* ---- what the operators give ---- */

/* Whether an input of the file leaves a dimension open, behind the first or any. */
static bool has_open_input(const struct check *c, int first)
{
    for (size_t i = 0; i < c->onnx->n_inputs; i++) {
        const struct eng_shape *shape = &c->onnx->inputs[i].shape;
        for (int d = first; d < shape->rank; d++)
            if (shape->dim[d] == -1) return true;
    }
    return false;
}

/* At two batch sizes, or at one where the graph takes no other. */
static enum eng_status infer(struct check *c, bool *inferred, struct eng_error *err)
{
    size_t n_nodes = c->graph->n_nodes + 1;
    struct eng_node_plan *nodes = eng_arena_alloc(&c->arena, n_nodes, sizeof *nodes);
    c->found = eng_arena_alloc(&c->arena, c->graph->n_values + 1, sizeof *c->found);
    if (!nodes || !c->found) return eng_fail_memory(err, "shape inference");
    c->sizes = !has_open_input(c, 1);
    enum eng_status status = eng_shape_infer_symbolic(c->graph, false, c->found, NULL);
    if (status != ENG_OK && status != ENG_NO_MEMORY) {
        c->sizes = !has_open_input(c, 0);
        status = eng_shape_infer(c->graph, 1, false, false, &c->arena, c->found, nodes, NULL);
    }
    *inferred = status == ENG_OK;
    return status == ENG_NO_MEMORY ? eng_fail_memory(err, "shape inference") : ENG_OK;
}

static bool is_constant(const struct check *c, int value)
{
    return value == ENG_NO_VALUE || c->graph->values[value].kind == ENG_VALUE_CONSTANT;
}

/* Numbers that say a shape are scalars and lists: they are computed if a node other than Constant
 * makes them of constants or of shapes. */
static enum eng_status mark_unsure(struct check *c, struct eng_error *err)
{
    bool *computed = eng_arena_alloc(&c->arena, c->graph->n_values + 1, sizeof *computed);
    c->unsure = eng_arena_alloc(&c->arena, c->graph->n_values + 1, sizeof *c->unsure);
    if (!computed || !c->unsure) return eng_fail_memory(err, "shape inference");
    for (size_t i = 0; i < c->graph->n_nodes; i++) {
        const struct eng_node *node = &c->graph->nodes[i];
        bool known = node->n_in > 0, unsure = false;
        for (size_t k = 0; k < node->n_in; k++) {
            int v = node->in[k];
            known &= is_constant(c, v) || computed[v];
            unsure |=
                v != ENG_NO_VALUE && (c->unsure[v] || (computed[v] && c->found[v].shape.rank <= 1));
        }
        known |= (node->op->flags & ENG_OP_SHAPE_ONLY) != 0;
        for (size_t k = 0; k < node->n_out; k++) {
            if (node->out[k] == ENG_NO_VALUE) continue;
            computed[node->out[k]] = known;
            c->unsure[node->out[k]] = unsure;
        }
    }
    return ENG_OK;
}

/* ---- what the file says ---- */

static bool fits(const struct eng_tensor *found, const struct onnx_value_info *declared, bool sizes)
{
    const struct eng_shape *a = &found->shape, *b = &declared->shape;
    enum eng_dtype dtype = declared->dtype == ENG_FLOAT16 ? ENG_FLOAT32 : declared->dtype;
    if (dtype != found->dtype) return false;
    if (b->rank < 0) return true;
    if (a->rank != b->rank) return false;
    for (int d = 0; sizes && d < a->rank; d++)
        if (a->dim[d] != b->dim[d] && a->dim[d] != -1 && b->dim[d] != -1) return false;
    return true;
}

static enum eng_status compare(const struct check *c, const char *what,
                               const struct onnx_value_info *declared, struct eng_error *err)
{
    int value = eng_graph_find(c->graph, declared->name);
    if (value == ENG_NO_VALUE) return ENG_OK;
    struct onnx_value_info seen = *declared;
    const struct eng_tensor *found = &c->found[value];
    if (c->unsure[value]) seen.shape.rank = -1;
    if (fits(found, &seen, c->sizes || is_constant(c, value))) return ENG_OK;
    char is[96], declares[96] = "of any shape";
    if (declared->shape.rank >= 0) eng_shape_format(&declared->shape, declares, sizeof declares);
    return eng_fail(err, ENG_FORMAT,
                    "%s '%s' is declared as %s %s, but what makes it gives %s %s; wanted the same",
                    what, declared->name, eng_dtype_name(declared->dtype), declares,
                    eng_dtype_name(found->dtype), eng_shape_format(&found->shape, is, sizeof is));
}

static enum eng_status compare_all(const struct check *c, struct eng_error *err)
{
    const struct onnx_model *onnx = c->onnx;
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < onnx->n_inputs; i++)
        status = compare(c, "graph input", &onnx->inputs[i], err);
    for (size_t i = 0; status == ENG_OK && i < onnx->n_outputs; i++)
        status = compare(c, "graph output", &onnx->outputs[i], err);
    for (size_t i = 0; status == ENG_OK && i < onnx->n_infos; i++)
        status = compare(c, "value", &onnx->infos[i], err);
    return status;
}

enum eng_status eng_declared_check(const struct onnx_model *onnx, const struct eng_graph *graph,
                                   struct eng_error *err)
{
    struct check c = {.onnx = onnx, .graph = graph};
    bool inferred = false;
    eng_arena_init(&c.arena);
    enum eng_status status = infer(&c, &inferred, err);
    if (status == ENG_OK && inferred) status = mark_unsure(&c, err);
    if (status == ENG_OK && inferred) status = compare_all(&c, err);
    eng_arena_fini(&c.arena);
    return status;
}
