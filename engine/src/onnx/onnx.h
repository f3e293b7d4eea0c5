/*
 * ONNX files as plain data: read with every length and name checked, written back. Knows the
 * format, not what the operators mean; model/convert.c joins it with the graph.
 */
#ifndef ENG_ONNX_ONNX_H
#define ENG_ONNX_ONNX_H

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/status.h"
#include "engine/tensor.h"
#include "ops/attrs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct onnx_named_tensor {
    const char *name;
    struct eng_tensor tensor; /* float16 comes widened to float32; data aligned to 64 */
};

/* Graph input or output. A symbolic or missing dimension is -1, a missing shape has rank -1. */
struct onnx_value_info {
    const char *name;
    enum eng_dtype dtype;
    struct eng_shape shape;
};

struct onnx_node {
    const char *name, *op_type, *domain; /* "" if absent, never NULL */
    const char *const *inputs;           /* "" for one that is left out */
    size_t n_inputs;
    const char *const *outputs;
    size_t n_outputs;
    const struct eng_attr *attrs;
    size_t n_attrs;
};

/* Purpose: "node 'conv1' (Conv)", or "node 3 (Conv)" if it has no name, cut to n. Returns buffer.
 */
char *onnx_node_label(const struct onnx_node *node, size_t index, char *buffer, size_t n);

struct onnx_property {
    const char *key, *value;
};

struct onnx_opset {
    const char *domain; /* "" is ai.onnx */
    int64_t version;
};

/* Nodes that stand for one: a function of the model, or a branch of If. */
struct onnx_body {
    const char *name, *domain;
    const char *const *inputs, *const *outputs; /* names inside */
    size_t n_inputs, n_outputs;
    const char *const *attrs; /* a call may give these */
    size_t n_attrs;
    const struct eng_attr *defaults; /* and these; otherwise they are so */
    size_t n_defaults;
    struct onnx_opset *opsets; /* of a function */
    size_t n_opsets;
    struct onnx_named_tensor *initializers; /* of a branch */
    size_t n_initializers;
    struct onnx_node *nodes;
    size_t n_nodes;
};

enum { ONNX_MAX_FUNCTIONS = 1000 };

struct onnx_model {
    struct eng_arena arena;    /* owns everything that was read */
    struct eng_memory weights; /* but for the elements of large initializers */
    int64_t ir_version;
    const char *producer_name, *producer_version, *doc_string, *graph_name; /* "" if absent */
    struct onnx_opset *opsets;
    size_t n_opsets;
    struct onnx_property *properties;
    size_t n_properties;
    struct onnx_node *nodes;
    size_t n_nodes;
    struct onnx_named_tensor *initializers;
    size_t n_initializers;
    struct onnx_body *functions; /* read, but not written */
    size_t n_functions;
    struct onnx_value_info *inputs; /* as in the file: initializers may be among them */
    size_t n_inputs;
    struct onnx_value_info *outputs;
    size_t n_outputs;
    struct onnx_value_info *infos; /* values in between, if they are dense tensors; not written */
    size_t n_infos;
};

/*
 * Purpose: reads a ModelProto. On success end with onnx_model_fini.
 * Errors: FORMAT (malformed, truncated, element counts, duplicate names), UNSUPPORTED (IR version,
 *         external data, sparse initializers, element type), LIMIT, NO_MEMORY; the
 *         sentence names node or tensor.
 * Cost: memory of at most 16 x n_bytes + 128 MiB; the weights are copied once.
 * Source: onnx.proto, IR versions 3 to 10.
 */
enum eng_status onnx_model_read(const void *bytes, size_t n_bytes, struct onnx_model *out,
                                struct eng_error *err);

/* Purpose: the same from a file, of which nothing large is in memory twice. Errors: IO too. */
enum eng_status onnx_model_read_file(const struct eng_open_file *file, struct onnx_model *out,
                                     struct eng_error *err);
void onnx_model_fini(struct onnx_model *model);

/*
 * Purpose: serialises; weights as raw_data. The same model gives the same bytes.
 * Ownership: *bytes is malloc'd, the caller frees it. Texts that are NULL or "" are left out.
 * Errors: ARGUMENT (an attribute or element type that files do not have), LIMIT (2 GiB), NO_MEMORY.
 */
enum eng_status onnx_model_write(const struct onnx_model *model, uint8_t **bytes, size_t *n_bytes,
                                 struct eng_error *err);

/*
 * Purpose: reads the graph that an attribute of If holds. in_function: If stands in a function.
 * Ownership: everything goes into arena. Errors: as onnx_model_read; the sentence begins with the
 * attribute. Cost: memory of at most 16 x its bytes + 128 MiB.
 */
enum eng_status onnx_branch_read(const struct eng_attr *graph, bool in_function,
                                 struct eng_arena *arena, struct onnx_body *out,
                                 struct eng_error *err);

/* Purpose: reads a TensorProto file (test data: input_0.pb); the data go into arena. */
enum eng_status onnx_tensor_read(const void *bytes, size_t n_bytes, struct eng_arena *arena,
                                 struct onnx_named_tensor *out, struct eng_error *err);

#endif
