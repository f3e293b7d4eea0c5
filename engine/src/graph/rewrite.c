#include "graph/rewrite.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE_FLOATS = 16 << 20 };

/* The shape of the graph's last value. */
static enum eng_status note_shape(struct eng_rewrite *w, const struct eng_tensor *shape,
                                  struct eng_error *err)
{
    size_t n = w->graph->n_values;
    if (!eng_grow(&w->shapes, &w->capacity, n, sizeof *w->shapes))
        return eng_fail_memory(err, "a graph pass");
    w->shapes[n - 1] = *shape;
    return ENG_OK;
}

enum eng_status eng_rewrite_begin(struct eng_rewrite *w, const struct eng_graph *from,
                                  const struct eng_tensor *shapes, struct eng_graph *out,
                                  struct eng_error *err)
{
    *w = (struct eng_rewrite){.graph = out, .spare_floats = SPARE_FLOATS};
    enum eng_status status = eng_graph_borrow(from, out, err);
    if (status != ENG_OK) return status;
    if (!eng_grow(&w->shapes, &w->capacity, from->n_values + 1, sizeof *w->shapes))
        return eng_fail_memory(err, "a graph pass");
    memcpy(w->shapes, shapes, from->n_values * sizeof *shapes);
    return ENG_OK;
}

void eng_rewrite_end(struct eng_rewrite *w)
{
    free(w->shapes);
}

/* With a number: what is cut off may be all that tells two names apart. */
static void make_name(const struct eng_rewrite *w, int like, const char *suffix, char *name,
                      size_t size)
{
    snprintf(name, size, "%.120s.%s%zu", w->graph->values[like].name, suffix, w->graph->n_values);
}

enum eng_status eng_rewrite_add_computed(struct eng_rewrite *w, int like, const char *suffix,
                                         const struct eng_shape *shape, int *out,
                                         struct eng_error *err)
{
    char name[192];
    make_name(w, like, suffix, name, sizeof name);
    struct eng_tensor tensor = {.dtype = w->shapes[like].dtype, .shape = *shape};
    enum eng_status status = eng_graph_add_computed(w->graph, name, out, err);
    return status == ENG_OK ? note_shape(w, &tensor, err) : status;
}

enum eng_status eng_rewrite_add_constant(struct eng_rewrite *w, int like, const char *suffix,
                                         const struct eng_tensor *tensor, int *out,
                                         struct eng_error *err)
{
    char name[192];
    make_name(w, like, suffix, name, sizeof name);
    enum eng_status status = eng_graph_add_constant(w->graph, name, tensor, out, err);
    return status == ENG_OK ? note_shape(w, &w->graph->values[*out].tensor, err) : status;
}

enum eng_status eng_rewrite_add_packed(struct eng_rewrite *w, int like,
                                       const struct eng_tensor *what, int *out, void **data,
                                       struct eng_error *err)
{
    struct eng_tensor tensor = {.dtype = what->dtype, .shape = what->shape};
    enum eng_status status = eng_rewrite_add_constant(w, like, "packed", &tensor, out, err);
    if (status != ENG_OK) return status;
    struct eng_value *value = &w->graph->values[*out];
    value->is_packed = true;
    value->n_packed = (size_t)eng_shape_count(&w->graph->values[like].tensor.shape);
    *data = value->tensor.data;
    return ENG_OK;
}

enum eng_status eng_rewrite_add_floats(struct eng_rewrite *w, int like,
                                       const struct eng_shape *shape, int *out, float **data,
                                       struct eng_error *err)
{
    struct eng_tensor what = {.dtype = ENG_FLOAT32, .shape = *shape};
    void *floats;
    enum eng_status status = eng_rewrite_add_packed(w, like, &what, out, &floats, err);
    if (status == ENG_OK) *data = floats;
    return status;
}

enum eng_status eng_rewrite_node(struct eng_rewrite *w, struct eng_node *node, const char *op_type,
                                 int opset, const struct eng_attr *attrs, size_t n_attrs,
                                 const int *in, size_t n_in, struct eng_error *err)
{
    struct eng_arena *arena = &w->graph->arena;
    const struct eng_op *op;
    enum eng_status status = eng_op_find("", op_type, opset, &op, err);
    if (status != ENG_OK) return status;
    void *own = eng_arena_alloc(arena, 1, op->attrs_bytes + 1);
    int *own_in = eng_arena_copy(arena, in, n_in * sizeof *in);
    if (!own || !own_in) return eng_fail_memory(err, "a graph pass");
    status = eng_attrs_read(op, attrs, n_attrs, own, err);
    if (status == ENG_OK) status = eng_attrs_own(op, own, arena, err);
    if (status != ENG_OK) return status;
    node->op = op;
    node->opset = opset;
    node->attrs = own;
    node->in = own_in;
    node->n_in = n_in;
    node->activation = (struct eng_activation){.kind = ENG_ACT_NONE};
    return ENG_OK;
}

bool eng_rewrite_affords(struct eng_rewrite *w, int like, int n_readers, size_t n)
{
    size_t held = (size_t)eng_shape_count(&w->graph->values[like].tensor.shape);
    size_t free = n_readers == 1 ? 4 * held : 0;
    if (n <= free) return true;
    if (n - free > w->spare_floats) return false;
    w->spare_floats -= n - free;
    return true;
}

void eng_rewrite_forget(struct eng_rewrite *w, const int *uses, int v, const void *at,
                        size_t n_bytes)
{
    char *data = w->graph->values[v].tensor.data;
    if (uses[v] > 1 || !w->spare || !eng_memory_holds(w->spare, data)) return;
    eng_forget(data + ((const char *)at - data), n_bytes);
}

void eng_rewrite_let_go(struct eng_rewrite *w, int *uses, int v)
{
    struct eng_tensor *tensor = &w->graph->values[v].tensor;
    if (--uses[v] > 0) return;
    if (w->spare && eng_memory_holds(w->spare, tensor->data))
        eng_forget(tensor->data, (size_t)eng_tensor_bytes(tensor));
    *tensor = (struct eng_tensor){.dtype = ENG_DTYPE_NONE};
}
