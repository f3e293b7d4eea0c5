/* Sums, pooling, functions as tables, and what only moves bytes. */
#include "graph/quantised_walk.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "kernels/clamp.h"
#include "kernels/quantise.h"

#include <stdlib.h>
#include <string.h>

/* --- tables --- */

static bool same(const struct eng_quantised *a, const struct eng_quantised *b)
{
    return a->dtype == b->dtype && a->scale == b->scale && a->zero == b->zero;
}

/* What DequantizeLinear, the function and QuantizeLinear make of each byte. */
static void fill_table(const struct eng_quantised *x, struct eng_activation act,
                       const struct eng_quantised *y, uint8_t table[256])
{
    const struct eng_quantisation all = {.outer = 1, .axis = 256, .inner = 1, .block = 1};
    uint8_t bytes[256], x_zero = (uint8_t)x->zero, y_zero = (uint8_t)y->zero;
    float floats[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    eng_dequantise(&all, x->dtype, bytes, &x->scale, &x_zero, floats, NULL);
    if (act.kind != ENG_ACT_NONE) eng_activation_forward(act, floats, floats, 256);
    eng_quantise(&all, ENG_FLOAT32, floats, &y->scale, &y_zero, y->dtype, table, NULL);
}

static enum eng_status add_table(struct eng_byte_walk *w, const struct eng_quantised *x,
                                 struct eng_activation act, const struct eng_quantised *y, int like,
                                 int *out, struct eng_error *err)
{
    struct eng_tensor what = {.dtype = y->dtype, .shape = {.rank = 1, .dim = {256}}};
    void *table;
    enum eng_status status = eng_rewrite_add_packed(w->turn.rewrite, like, &what, out, &table, err);
    w->turn.shapes = w->turn.rewrite->shapes;
    if (status != ENG_OK) return status;
    w->turn.graph->values[*out].n_packed = 0;
    fill_table(x, act, y, table);
    return ENG_OK;
}

/* y = the table of what stands at `form`, a form of bytes x. */
static enum eng_status push_table(struct eng_byte_walk *w, const struct eng_node *node, int form,
                                  const struct eng_quantised *x, struct eng_activation act,
                                  const struct eng_byte_value *y, struct eng_error *err)
{
    int in[2] = {form};
    enum eng_status status = add_table(w, x, act, &y->q, y->value, &in[1], err);
    if (status != ENG_OK) return status;
    return eng_bytes_push(w, node, &eng_op_quantised_table, "", in, 2, y->value, err);
}

/* Bytes of v in the form that operators take, on the scale of y; a table stands between if that is
 * another. */
static enum eng_status rescaled(struct eng_byte_walk *w, const struct eng_node *node,
                                const struct eng_byte_value *x, const struct eng_quantised *y,
                                int *out, struct eng_error *err)
{
    int in[2];
    enum eng_status status = eng_bytes_form(w, x->value, &in[0], err);
    *out = in[0];
    if (status != ENG_OK || same(&x->q, y)) return status;
    struct eng_activation none = {.kind = ENG_ACT_NONE};
    status = add_table(w, &x->q, none, y, x->value, &in[1], err);
    if (status != ENG_OK) return status;
    struct eng_shape shape = w->turn.shapes[in[0]].shape;
    status = eng_rewrite_add_computed(w->turn.rewrite, in[1], "rescaled", &shape, out, err);
    w->turn.shapes = w->turn.rewrite->shapes;
    if (status != ENG_OK) return status;
    struct eng_node table = *node;
    table.op = &eng_op_quantised_table;
    table.activation = none;
    table.n_in = 2;
    table.n_out = 1;
    table.in = eng_arena_copy(&w->turn.graph->arena, in, sizeof in);
    table.out = eng_arena_copy(&w->turn.graph->arena, out, sizeof *out);
    if (!table.in || !table.out) return eng_fail_memory(err, "a graph pass");
    return eng_turn_push(&w->turn, &table, err);
}

/* --- activations --- */

static enum eng_status activation_of(struct eng_byte_walk *w, const struct eng_node *node,
                                     struct eng_activation *out, bool *has, struct eng_error *err)
{
    struct eng_node_view view;
    if (!eng_node_view_init(w->turn.graph, node, &view))
        return eng_fail_memory(err, "a graph pass");
    *has = node->activation.kind == ENG_ACT_NONE && node->op->activation(&view.q, out);
    eng_node_view_fini(&view);
    return ENG_OK;
}

enum eng_status eng_bytes_activation(struct eng_byte_walk *w, size_t i, bool *done,
                                     struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_byte_value x, y;
    struct eng_activation act;
    int quantiser, form;
    bool has = false;
    if (!eng_bytes_source(w, node->in[0], &x) ||
        !eng_bytes_only_sink(w, node->out[0], &y, &quantiser))
        return ENG_OK;
    enum eng_status status = activation_of(w, node, &act, &has, err);
    if (status != ENG_OK || !has) return status;
    *done = w->done[quantiser] = true;
    status = eng_bytes_form(w, x.value, &form, err);
    return status == ENG_OK ? push_table(w, node, form, &x.q, act, &y, err) : status;
}

/* --- QuantizeLinear --- */

enum eng_status eng_bytes_quantise(struct eng_byte_walk *w, size_t i, bool *done,
                                   struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    int v = node->in[0], form;
    struct eng_byte_value x, y = {.value = node->out[0]};
    if (!eng_bytes_parameters(w->turn.graph, node->in[1],
                              node->n_in > 2 ? node->in[2] : ENG_NO_VALUE,
                              w->turn.shapes[y.value].dtype, &y.q) ||
        (node->n_in < 3 && y.q.dtype != ENG_UINT8))
        return ENG_OK;
    if (eng_bytes_source(w, v, &x)) { /* bytes on another scale */
        enum eng_status status = eng_bytes_form(w, x.value, &form, err);
        struct eng_activation none = {.kind = ENG_ACT_NONE};
        *done = true;
        return status == ENG_OK ? push_table(w, node, form, &x.q, none, &y, err) : status;
    }
    bool is_plain = w->turn.plain[v] != ENG_NO_VALUE && w->turn.shapes[v].dtype == ENG_FLOAT32;
    if (!is_plain || !w->wants_last[y.value] || !eng_bytes_is_picture(w, y.value)) return ENG_OK;
    *done = true;
    return eng_bytes_push(w, node, &eng_op_quantised_picture, &y.q, &w->turn.plain[v], 1, y.value,
                          err);
}

/* --- Add --- */

/* A term: bytes, or floats that a sum before made. */
static bool read_term(const struct eng_byte_walk *w, int v, struct eng_byte_value *out)
{
    if (eng_bytes_source(w, v, out)) return true;
    *out = (struct eng_byte_value){.value = v, .q = {.dtype = ENG_FLOAT32, .scale = 1}};
    return v != ENG_NO_VALUE && w->turn.shapes[v].dtype == ENG_FLOAT32;
}

/* The sum as floats has other readers than QuantizeLinear: a second output. */
static enum eng_status add_floats(struct eng_byte_walk *w, int v, int *out, struct eng_error *err)
{
    *out = ENG_NO_VALUE;
    if (w->turn.uses[v] == 1) return ENG_OK;
    *out = v;
    if (!eng_bytes_is_picture(w, v)) {
        w->turn.plain[v] = v;
        return ENG_OK;
    }
    struct eng_shape last = {.rank = 4};
    for (int d = 0; d < 4; d++)
        last.dim[d] = w->turn.shapes[v].shape.dim[eng_to_last[d]];
    enum eng_status status = eng_rewrite_add_computed(w->turn.rewrite, v, "nhwc", &last, out, err);
    w->turn.shapes = w->turn.rewrite->shapes;
    if (status == ENG_OK) w->turn.twin[v] = *out;
    return status;
}

static enum eng_status push_sum(struct eng_byte_walk *w, const struct eng_node *node,
                                const struct eng_quantised_add_attrs *attrs, const int in[2], int y,
                                struct eng_error *err)
{
    int floats;
    enum eng_status status = add_floats(w, node->out[0], &floats, err);
    if (status == ENG_OK)
        status = eng_bytes_push(w, node, &eng_op_quantised_add, attrs, in, 2, y, err);
    if (status != ENG_OK || floats == ENG_NO_VALUE) return status;
    struct eng_node *sum = &w->turn.nodes[w->turn.n_nodes - 1];
    int out[2] = {sum->out[0], floats};
    sum->out = eng_arena_copy(&w->turn.graph->arena, out, sizeof out);
    sum->n_out = 2;
    if (!sum->out || !eng_turn_note_producer(&w->turn, floats, (int)w->turn.n_nodes - 1))
        return eng_fail_memory(err, "a graph pass");
    return ENG_OK;
}

enum eng_status eng_bytes_add(struct eng_byte_walk *w, size_t i, bool *done, struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_clamp clamp = eng_clamp_for(node->activation);
    const struct eng_tensor *shapes = w->turn.shapes;
    struct eng_byte_value a, b, y;
    int quantiser, in[2];
    if (node->n_in != 2 || !clamp.is_all || !read_term(w, node->in[0], &a) ||
        !read_term(w, node->in[1], &b) || (a.q.dtype == ENG_FLOAT32 && b.q.dtype == ENG_FLOAT32) ||
        !eng_shape_equal(&shapes[node->in[0]].shape, &shapes[node->in[1]].shape) ||
        !eng_bytes_sink(w, node->out[0], &y, &quantiser))
        return ENG_OK;
    struct eng_quantised_add_attrs attrs = {
        .a = a.q, .b = b.q, .y = y.q, .least = clamp.low, .most = clamp.high};
    *done = w->done[quantiser] = true;
    enum eng_status status = eng_bytes_form(w, a.value, &in[0], err);
    if (status == ENG_OK) status = eng_bytes_form(w, b.value, &in[1], err);
    return status == ENG_OK ? push_sum(w, node, &attrs, in, y.value, err) : status;
}

/* --- pooling --- */

static const struct eng_op *pooling_of(const struct eng_node *node)
{
    if (eng_pattern_is(node, "AveragePool")) return &eng_op_quantised_average_pool;
    if (eng_pattern_is(node, "GlobalAveragePool")) return &eng_op_quantised_global_average_pool;
    bool indices = node->n_out > 1 && node->out[1] != ENG_NO_VALUE;
    return indices ? NULL : &eng_op_quantised_max_pool;
}

/* The largest byte is that of the largest number; on another scale by a table. */
static enum eng_status push_maximum(struct eng_byte_walk *w, const struct eng_node *node,
                                    struct eng_quantised_pool_attrs *attrs,
                                    const struct eng_byte_value *x, const struct eng_byte_value *y,
                                    struct eng_error *err)
{
    int in;
    enum eng_status status = rescaled(w, node, x, &y->q, &in, err);
    attrs->x = y->q;
    if (status != ENG_OK) return status;
    return eng_bytes_push(w, node, &eng_op_quantised_max_pool, attrs, &in, 1, y->value, err);
}

/* MaxPool of bytes themselves too. */
static bool read_pooled(const struct eng_byte_walk *w, const struct eng_node *node,
                        struct eng_byte_value *x, struct eng_byte_value *y, int *quantiser)
{
    enum eng_dtype dtype = w->turn.shapes[node->in[0]].dtype;
    *quantiser = -1;
    if (dtype == ENG_FLOAT32)
        return eng_bytes_source(w, node->in[0], x) &&
               eng_bytes_only_sink(w, node->out[0], y, quantiser);
    *x = (struct eng_byte_value){.value = node->in[0], .q = {.dtype = dtype, .scale = 1}};
    *y = (struct eng_byte_value){.value = node->out[0], .q = x->q};
    return (dtype == ENG_UINT8 || dtype == ENG_INT8) && w->turn.twin[node->in[0]] != ENG_NO_VALUE;
}

static bool fits_taps(const struct eng_byte_walk *w, const struct eng_node *node, int x)
{
    const struct eng_shape *shape = &w->turn.shapes[x].shape;
    int64_t rows = shape->dim[2], columns = shape->dim[3];
    if (!eng_pattern_is(node, "GlobalAveragePool")) {
        const struct eng_pool_attrs *attrs = node->attrs;
        rows = attrs->kernel_shape.v[0];
        columns = attrs->kernel_shape.v[1];
    }
    return rows <= ENG_QUANTISED_MAX_TAPS && columns <= ENG_QUANTISED_MAX_TAPS / rows;
}

enum eng_status eng_bytes_pooling(struct eng_byte_walk *w, size_t i, bool *done,
                                  struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    const struct eng_op *op = pooling_of(node);
    struct eng_byte_value x, y;
    int quantiser, in;
    if (!op || !read_pooled(w, node, &x, &y, &quantiser) || !eng_bytes_is_picture(w, x.value) ||
        !fits_taps(w, node, x.value))
        return ENG_OK;
    struct eng_quantised_pool_attrs attrs = {.x = x.q, .y = y.q};
    if (op != &eng_op_quantised_global_average_pool)
        attrs.pool = *(const struct eng_pool_attrs *)node->attrs;
    *done = true;
    if (quantiser >= 0) w->done[quantiser] = true;
    if (op == &eng_op_quantised_max_pool) return push_maximum(w, node, &attrs, &x, &y, err);
    enum eng_status status = eng_bytes_form(w, x.value, &in, err);
    return status == ENG_OK ? eng_bytes_push(w, node, op, &attrs, &in, 1, y.value, err) : status;
}

/* --- Concat --- */

static bool find_axis(const struct eng_node *node, int rank, int *out)
{
    struct eng_attr attrs[4];
    size_t n = node->op->n_attrs <= 4 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    *out = -1;
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, "axis") == 0)
            *out = (int)(attrs[i].i < 0 ? attrs[i].i + rank : attrs[i].i);
    return *out >= 0 && *out < rank;
}

static enum eng_status push_concat(struct eng_byte_walk *w, const struct eng_node *node, int axis,
                                   const struct eng_byte_value *y, int *in, struct eng_error *err)
{
    static const int64_t last[4] = {0, 3, 1, 2}; /* where an axis of a picture lies then */
    struct eng_node like = *node;
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && k < node->n_in; k++) {
        struct eng_byte_value x;
        if (eng_bytes_source(w, node->in[k], &x)) /* all are: looked at before */
            status = rescaled(w, node, &x, &y->q, &in[k], err);
    }
    if (status == ENG_OK && eng_bytes_is_picture(w, y->value))
        status = eng_turn_set_attribute(&w->turn, &like, "axis", last[axis], err);
    if (status != ENG_OK) return status;
    return eng_bytes_push(w, &like, like.op, like.attrs, in, node->n_in, y->value, err);
}

enum eng_status eng_bytes_concat(struct eng_byte_walk *w, size_t i, bool *done,
                                 struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_byte_value x, y;
    int quantiser, axis;
    if (!eng_bytes_only_sink(w, node->out[0], &y, &quantiser) ||
        !find_axis(node, w->turn.shapes[y.value].shape.rank, &axis))
        return ENG_OK;
    for (size_t k = 0; k < node->n_in; k++)
        if (!eng_bytes_source(w, node->in[k], &x)) return ENG_OK;
    int *in = eng_calloc(node->n_in, sizeof *in);
    if (!in) return eng_fail_memory(err, "a graph pass");
    *done = w->done[quantiser] = true;
    enum eng_status status = push_concat(w, node, axis, &y, in, err);
    free(in);
    return status;
}

/* --- what only moves bytes --- */

/* The plain form of bytes x on the scale of y, which then stands for v of floats. */
static enum eng_status push_moved(struct eng_byte_walk *w, const struct eng_node *node, int *in,
                                  const struct eng_byte_value *x, const struct eng_byte_value *y,
                                  struct eng_error *err)
{
    enum eng_status status = eng_turn_need_plain(&w->turn, x->value, err);
    for (size_t k = 1; status == ENG_OK && k < node->n_in; k++) {
        if (node->in[k] != ENG_NO_VALUE) status = eng_turn_need_plain(&w->turn, node->in[k], err);
        in[k] = node->in[k] == ENG_NO_VALUE ? ENG_NO_VALUE : w->turn.plain[node->in[k]];
    }
    if (status != ENG_OK) return status;
    in[0] = w->turn.plain[x->value];
    struct eng_node like = *node;
    like.out = (int *)&y->value;
    return eng_turn_push_plain(&w->turn, &like, in, node->n_in, err);
}

/* Scales that differ are left to QuantizeLinear. */
enum eng_status eng_bytes_move(struct eng_byte_walk *w, size_t i, bool *done, struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_byte_value x, y;
    int quantiser, in[4];
    if (node->n_in > 4 || !eng_bytes_source(w, node->in[0], &x) ||
        !eng_bytes_only_sink(w, node->out[0], &y, &quantiser) || !same(&x.q, &y.q))
        return ENG_OK;
    *done = w->done[quantiser] = true;
    return push_moved(w, node, in, &x, &y, err);
}

/* --- Shape --- */

/* [N, D1, D2, C] as [N, C, D1, D2]. */
static enum eng_status push_order(struct eng_byte_walk *w, const struct eng_node *node, int shape,
                                  struct eng_error *err)
{
    struct eng_tensor what = {.dtype = ENG_INT64, .shape = {.rank = 1, .dim = {4}}};
    struct eng_node gather = {.name = node->name, .opset = 13, .n_in = 2, .n_out = 1};
    int in[2] = {shape};
    void *order;
    enum eng_status status =
        eng_rewrite_add_packed(w->turn.rewrite, shape, &what, &in[1], &order, err);
    w->turn.shapes = w->turn.rewrite->shapes;
    if (status != ENG_OK) return status;
    w->turn.graph->values[in[1]].n_packed = 0;
    memcpy(order, eng_to_first, sizeof eng_to_first);
    status = eng_op_find("", "Gather", gather.opset, &gather.op, err);
    if (status != ENG_OK) return status;
    void *attrs = eng_arena_alloc(&w->turn.graph->arena, 1, gather.op->attrs_bytes + 1);
    if (!attrs) return eng_fail_memory(err, "a graph pass");
    status = eng_attrs_read(gather.op, NULL, 0, attrs, err);
    gather.attrs = attrs;
    gather.out = node->out;
    return status == ENG_OK ? eng_turn_push_plain(&w->turn, &gather, in, 2, err) : status;
}

/* The shape of floats that nobody else wants is that of their bytes. */
enum eng_status eng_bytes_shape(struct eng_byte_walk *w, size_t i, bool *done,
                                struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_attr attrs[4];
    struct eng_byte_value x;
    int shape;
    if (node->op->n_attrs > 4 || eng_attrs_write(node->op, node->attrs, attrs) > 0 ||
        !eng_bytes_source(w, node->in[0], &x))
        return ENG_OK;
    int twin = w->turn.twin[x.value], plain = w->turn.plain[x.value];
    *done = true;
    if (plain != ENG_NO_VALUE) return eng_turn_push_plain(&w->turn, node, &plain, 1, err);
    const struct eng_shape four = {.rank = 1, .dim = {4}};
    enum eng_status status =
        eng_rewrite_add_computed(w->turn.rewrite, node->out[0], "nhwc", &four, &shape, err);
    w->turn.shapes = w->turn.rewrite->shapes;
    if (status != ENG_OK) return status;
    struct eng_node like = *node;
    like.out = &shape;
    like.n_out = 1;
    like.n_in = 1;
    like.in = eng_arena_copy(&w->turn.graph->arena, &twin, sizeof twin);
    like.out = eng_arena_copy(&w->turn.graph->arena, &shape, sizeof shape);
    if (!like.in || !like.out) return eng_fail_memory(err, "a graph pass");
    status = eng_turn_push(&w->turn, &like, err);
    return status == ENG_OK ? push_order(w, node, shape, err) : status;
}
