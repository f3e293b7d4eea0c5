/* Bringing a file's nodes into a graph: what the main graph, functions and branches share. */
#ifndef ENG_MODEL_IMPORT_H
#define ENG_MODEL_IMPORT_H

#include "model/condition.h"
#include "onnx/onnx.h"

/* One import. */
struct eng_import {
    const struct onnx_model *onnx;
    struct eng_arena *take; /* NULL, or the file's own arena, from which large constants move */
    struct eng_graph *graph;
    struct eng_names names; /* every name of the main graph: inner ones differ from them */
    struct eng_condition condition;
    void (*settle)(void *data); /* before the first condition; NULL: nothing to do */
    void *settle_data;
    size_t left_branch_bytes; /* of branches that may still be unpacked */
};

/* Where names mean something: the main graph, a call of a function, a branch. */
struct eng_scope {
    const struct eng_scope *parent; /* of a branch: what is seen from it; else NULL */
    const char *path;               /* before the names that its values get; "": as they are */
    int depth;
    const struct onnx_opset *opsets;
    size_t n_opsets;
    const struct onnx_body *function; /* the one that is called, or NULL */
    const struct onnx_node *call;
    const struct eng_scope *caller;
    struct eng_names values; /* name -> value + 1; 0: an input that the call leaves out */
};

/* Purpose: brings nodes in, in order. Errors: as eng_convert_import. */
enum eng_status eng_import_nodes(struct eng_import *import, struct eng_scope *scope,
                                 const struct onnx_node *nodes, size_t n, struct eng_error *err);

/* Purpose: brings constants in. from: an arena that large ones move out of, or NULL. */
enum eng_status eng_import_constants(struct eng_import *import, struct eng_scope *scope,
                                     const struct onnx_named_tensor *tensors, size_t n,
                                     struct eng_arena *from, struct eng_error *err);

/* Purpose: the values of a node's inputs, in the graph's arena. Errors: FORMAT naming the input. */
enum eng_status eng_import_inputs(struct eng_import *import, const struct eng_scope *scope,
                                  const struct onnx_node *node, int **out, struct eng_error *err);

/* Purpose: what a name in this scope is called in the graph, in its arena; NULL: no memory. */
const char *eng_import_name(struct eng_import *import, const struct eng_scope *scope,
                            const char *name);

/* Purpose: value (or ENG_NO_VALUE) is called `name` here. Errors: FORMAT if another is; NO_MEMORY.
 */
enum eng_status eng_scope_put(struct eng_scope *scope, const char *name, int value,
                              struct eng_error *err);

/* Purpose: true if the name is known here; *value may be ENG_NO_VALUE. */
bool eng_scope_find(const struct eng_scope *scope, const char *name, int *value);

/* Purpose: the function that a node calls, or NULL. */
const struct onnx_body *eng_import_function(const struct onnx_model *onnx,
                                            const struct onnx_node *node);

/* Purpose: brings in the nodes of a function in place of its call, or of the branch that If takes.
 * Errors: also LIMIT for nesting, UNSUPPORTED if the condition is not known. */
enum eng_status eng_import_call(struct eng_import *import, struct eng_scope *scope,
                                const struct onnx_node *node, const struct onnx_body *function,
                                struct eng_error *err);
enum eng_status eng_import_if(struct eng_import *import, struct eng_scope *scope,
                              const struct onnx_node *node, struct eng_error *err);

/* Purpose: a node's attributes with those of the call in place of references to them, in the
 * graph's arena. Errors: NO_MEMORY. */
enum eng_status eng_import_attrs(struct eng_import *import, const struct eng_scope *scope,
                                 const struct onnx_node *node, const struct eng_attr **out,
                                 size_t *n, struct eng_error *err);

#endif
