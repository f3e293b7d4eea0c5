/*
 * A graph: values (inputs, constants, computed) and nodes in execution order. Built by the ONNX
 * import or by the trainer, checked on the way, changed only by passes, then read-only.
 */
#ifndef ENG_GRAPH_GRAPH_H
#define ENG_GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/mem.h"
#include "base/names.h"
#include "engine/status.h"
#include "ops/attrs.h"
#include "ops/op.h"

#include <stdbool.h>
#include <stddef.h>

enum eng_value_kind { ENG_VALUE_INPUT, ENG_VALUE_CONSTANT, ENG_VALUE_COMPUTED };

/* How a constant of a graph that was made for one sample looks at a batch of n (graph/batch.h). */
enum eng_follows {
    ENG_FOLLOWS_NOT,
    ENG_FOLLOWS_IN_ENTRY, /* int64: one number times n */
    ENG_FOLLOWS_IN_ROWS,  /* n times the rows that it has */
};

enum { ENG_NO_VALUE = -1 }; /* an optional input or output that is left out */

/* What DequantizeLinear made a constant of; zero.dtype NONE: no zero point. */
struct eng_dequantised {
    struct eng_tensor q, scale, zero;
    int64_t axis;
};

struct eng_value {
    const char *name;
    enum eng_value_kind kind;
    bool trainable;  /* a constant that training adjusts */
    bool wants_grad; /* no constant: TRAINING plans keep its gradient (eng_exec_gradient) */
    enum eng_follows follows; /* a constant: where the batch is overridden */
    bool is_packed;           /* a constant: a kernel's own arrangement of n_packed numbers */
    size_t n_packed;
    int follows_entry;                         /* IN_ENTRY: which number */
    const struct eng_dequantised *dequantised; /* a constant: what it was; NULL: no integers */
    /* INPUT: declared type and shape, -1 where symbolic. CONSTANT: with data. COMPUTED: nothing;
     * its shape depends on the batch size and stands in the plan. */
    struct eng_tensor tensor;
};

struct eng_node {
    const char *name; /* never empty: made from the operator and index if the file has none */
    const struct eng_op *op;
    const void *attrs;
    int opset;
    size_t n_in, n_out;
    int *in; /* value indices or ENG_NO_VALUE */
    int *out;
    bool frozen; /* training leaves its constants as they are, observed statistics included */
    bool steady; /* answers as in inference though gradients are computed: Dropout drops nothing */
    struct eng_activation activation; /* fused by a pass */
};

struct eng_graph {
    struct eng_arena arena;    /* names, attributes, index lists, small constants */
    struct eng_memory weights; /* where large constants lie that a file brought */
    struct eng_names index;    /* value names */
    const char *name;
    struct eng_value *values;
    size_t n_values, values_capacity;
    struct eng_node *nodes;
    size_t n_nodes, nodes_capacity;
    int *inputs, *outputs; /* value indices */
    size_t n_inputs, n_outputs, inputs_capacity, outputs_capacity;
    bool is_settled; /* values, nodes, inputs and outputs lie in arena */
};

/* Limits on what a file may ask for. */
enum { ENG_GRAPH_MAX_NODES = 100000, ENG_GRAPH_MAX_VALUES = 250000 };

void eng_graph_init(struct eng_graph *graph);
void eng_graph_fini(struct eng_graph *graph);

/* Purpose: nothing is added any more: the tables move into the graph's arena, where they take what
 * they need and leave no holes in malloc's heap. Errors: NO_MEMORY, then nothing has moved. */
enum eng_status eng_graph_settle(struct eng_graph *graph, struct eng_error *err);

/* Purpose: the same graph, for a pass to change. out is initialised and empty; it borrows names,
 * attributes and constants of from, which must live longer. Errors: NO_MEMORY. */
enum eng_status eng_graph_borrow(const struct eng_graph *from, struct eng_graph *out,
                                 struct eng_error *err);

/* Purpose: add a value; names must be unique and not empty. The name is copied.
 * Errors: FORMAT (duplicate name), LIMIT, NO_MEMORY. *out is the value's index. */
enum eng_status eng_graph_add_input(struct eng_graph *graph, const char *name, enum eng_dtype dtype,
                                    const struct eng_shape *shape, int *out, struct eng_error *err);

/* Purpose: a value for a node that a pass makes to compute. */
enum eng_status eng_graph_add_computed(struct eng_graph *graph, const char *name, int *out,
                                       struct eng_error *err);

/* Data are copied into the graph (64-byte aligned), from tensor->data; NULL: zeros. */
enum eng_status eng_graph_add_constant(struct eng_graph *graph, const char *name,
                                       const struct eng_tensor *tensor, int *out,
                                       struct eng_error *err);

/* The same, but what lies in graph->weights stays there, and what has a block of its own in arena
 * `from` moves to the graph with it. */
enum eng_status eng_graph_add_constant_take(struct eng_graph *graph, const char *name,
                                            const struct eng_tensor *tensor, struct eng_arena *from,
                                            int *out, struct eng_error *err);

/*
 * Purpose: appends a node; its inputs must exist already (topological order). New computed values
 * are made for out_names ("" or NULL: output left out); their indices stand in the node, the last
 * of graph->nodes. Shapes: in: value indices or ENG_NO_VALUE. Errors: UNSUPPORTED (operator,
 * attribute, opset), FORMAT (counts, duplicate names); the sentence starts with "node 'name' (Op):
 * ".
 */
enum eng_status eng_graph_add_node(struct eng_graph *graph, const char *name, const char *domain,
                                   const char *op_type, int opset, const struct eng_attr *attrs,
                                   size_t n_attrs, const int *in, size_t n_in,
                                   const char *const *out_names, size_t n_out,
                                   struct eng_error *err);

enum eng_status eng_graph_add_output(struct eng_graph *graph, int value, struct eng_error *err);

/* Purpose: index by name, or ENG_NO_VALUE. */
int eng_graph_find(const struct eng_graph *graph, const char *name);

/* Purpose: marks as trainable the float constants that stand at their operators' trainable inputs,
 * but none that a frozen node reads. */
void eng_graph_mark_trainable(struct eng_graph *graph);

/* Purpose: how many nodes read each value, and once more for each graph output: counts [n_values].
 */
void eng_graph_count_uses(const struct eng_graph *graph, int *counts);

/* Purpose: puts "node 'name' (Op): " before the sentence. Returns status. */
enum eng_status eng_node_fail(const struct eng_node *node, enum eng_status status,
                              struct eng_error *err);

#endif
