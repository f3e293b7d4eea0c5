#include "graph/shape.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* A file of a kilobyte can ask for values of gigabytes. The largest of ONNX's and torchvision's
 * classifiers take 13 MB for a picture. */
static const int64_t MAX_SAMPLE_BYTES = (int64_t)1 << 30;

static bool fits_memory(const struct eng_tensor *tensor, int64_t batch)
{
    int64_t n_bytes = eng_tensor_bytes(tensor);
    return n_bytes >= 0 && (n_bytes <= MAX_SAMPLE_BYTES || n_bytes / batch <= MAX_SAMPLE_BYTES);
}

/* The declared shape with the batch put in. */
static enum eng_status input_shape(const struct eng_value *value, int64_t batch,
                                   bool override_batch, struct eng_tensor *out,
                                   struct eng_error *err)
{
    struct eng_shape shape = value->tensor.shape;
    if (shape.rank > 0 && (shape.dim[0] == -1 || (override_batch && shape.dim[0] == 1)))
        shape.dim[0] = batch;
    for (int d = 0; d < shape.rank; d++) {
        char text[96];
        if (shape.dim[d] == -1)
            return eng_fail(err, ENG_UNSUPPORTED,
                            "input '%s' has shape %s: dimension %d is not a number; only the first "
                            "(the batch) and the sides of a picture may be open",
                            value->name, eng_shape_format(&value->tensor.shape, text, sizeof text),
                            d);
    }
    *out = (struct eng_tensor){.dtype = value->tensor.dtype, .shape = shape};
    char text[96];
    if (!fits_memory(out, batch))
        return eng_fail(err, ENG_LIMIT,
                        "input '%s' has shape %s of %s, wanted at most %lld MiB for each sample",
                        value->name, eng_shape_format(&shape, text, sizeof text),
                        eng_dtype_name(out->dtype), (long long)MAX_SAMPLE_BYTES >> 20);
    return ENG_OK;
}

static enum eng_status check_outputs(const struct eng_node *node, struct eng_tensor *const *out,
                                     int64_t batch, struct eng_error *err)
{
    for (size_t k = 0; k < node->n_out; k++) {
        char text[96];
        if (out[k] && !fits_memory(out[k], batch))
            return eng_fail(err, ENG_LIMIT,
                            "output %zu would have shape %s of %s, wanted at most %lld MiB for "
                            "each sample",
                            k, eng_shape_format(&out[k]->shape, text, sizeof text),
                            eng_dtype_name(out[k]->dtype), (long long)MAX_SAMPLE_BYTES >> 20);
    }
    return ENG_OK;
}

/* A pass fused it before types were known. */
static enum eng_status check_activation(const struct eng_node *node, const struct eng_tensor *out,
                                        struct eng_error *err)
{
    if (!out || eng_activation_takes(node->activation.kind, out->dtype)) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED, "its output has element type %s, which %s does not take",
                    eng_dtype_name(out->dtype), eng_activation_name(node->activation.kind));
}

bool eng_outputs_are_empty(struct eng_tensor *const *out, size_t n_out)
{
    for (size_t k = 0; k < n_out; k++)
        if (out[k] && eng_shape_count(&out[k]->shape) != 0) return false;
    return true;
}

static enum eng_status infer_node(struct eng_shape_walk *walk, size_t i, bool computes,
                                  struct eng_node_plan *plan, struct eng_error *err)
{
    const struct eng_node *node = &walk->graph->nodes[i];
    struct eng_arena *passing = walk->passing ? walk->passing : walk->arena;
    struct eng_tensor *tensors = walk->tensors;
    const struct eng_tensor **in = eng_arena_alloc(passing, node->n_in + 1, sizeof *in);
    struct eng_tensor **out = eng_arena_alloc(passing, node->n_out + 1, sizeof *out);
    if (!in || !out) return eng_fail_memory(err, "shape inference");
    for (size_t k = 0; k < node->n_in; k++)
        in[k] = node->in[k] == ENG_NO_VALUE ? NULL : &tensors[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++)
        out[k] = node->out[k] == ENG_NO_VALUE ? NULL : &tensors[node->out[k]];
    bool passes = computes && eng_known_inputs(&walk->known, node, in);
    plan->state = eng_arena_alloc(passes ? passing : walk->arena, 1, node->op->state_bytes + 1);
    if (!plan->state) return eng_fail_memory(err, "shape inference");
    struct eng_op_infer q = {.attrs = node->attrs,
                             .opset = node->opset,
                             .training = walk->training,
                             .frozen = node->frozen,
                             .steady = node->steady,
                             .n_in = node->n_in,
                             .in = in,
                             .n_out = node->n_out,
                             .out = out,
                             .state = plan->state};
    enum eng_status status = eng_op_infer(node->op, &q, err);
    if (status == ENG_OK) status = check_outputs(node, out, walk->batch, err);
    if (status == ENG_OK) status = check_activation(node, out[0], err);
    if (status != ENG_OK) return eng_node_fail(node, status, err);
    plan->scratch_bytes = q.scratch_bytes;
    plan->keep_bytes = q.keep_bytes;
    plan->is_empty = eng_outputs_are_empty(out, node->n_out);
    if (node->op->flops)
        plan->flops = node->op->flops(&q);
    else if (out[0])
        plan->flops = (double)eng_shape_count(&out[0]->shape);
    plan->work = eng_op_work(node->op, &q);
    if (!passes) return ENG_OK;
    status = eng_known_run(&walk->known, node, &q, passing, plan, err);
    if (plan->is_known) plan->state = NULL;
    /* It is too large to be known: its state must last. */
    return status == ENG_OK && !plan->is_known ? infer_node(walk, i, false, plan, err) : status;
}

enum eng_status eng_shape_infer_node(const struct eng_graph *graph, size_t i, bool training,
                                     struct eng_arena *arena, struct eng_tensor *tensors,
                                     struct eng_node_plan *plan, struct eng_error *err)
{
    struct eng_shape_walk walk = {
        .graph = graph, .batch = 1, .training = training, .arena = arena, .tensors = tensors};
    return infer_node(&walk, i, false, plan, err);
}

/* infer refuses what overflows. */
static void multiply(int64_t *number, size_t n)
{
    *number = (int64_t)((uint64_t)*number * n);
}

/* A constant that follows the batch, at this batch size. */
static enum eng_status follow(const struct eng_shape_walk *walk, const struct eng_value *value,
                              struct eng_tensor *out, struct eng_error *err)
{
    size_t n = (size_t)walk->batch, n_bytes = (size_t)eng_tensor_bytes(&value->tensor);
    bool rows = value->follows == ENG_FOLLOWS_IN_ROWS;
    struct eng_arena *passing = walk->passing ? walk->passing : walk->arena;
    char *data = eng_arena_alloc(passing, rows ? n : 1, n_bytes);
    if (!data) return eng_fail_memory(err, "a constant that follows the batch");
    for (size_t i = 0; i < (rows ? n : 1); i++)
        memcpy(data + i * n_bytes, value->tensor.data, n_bytes);
    *out = value->tensor;
    out->data = data;
    if (rows)
        out->shape.dim[0] *= walk->batch;
    else
        multiply((int64_t *)out->data + value->follows_entry, n);
    return ENG_OK;
}

enum eng_status eng_shape_walk_value(const struct eng_shape_walk *walk, size_t v,
                                     struct eng_error *err)
{
    const struct eng_value *value = &walk->graph->values[v];
    if (value->kind == ENG_VALUE_INPUT)
        return input_shape(value, walk->batch, walk->override_batch, &walk->tensors[v], err);
    if (value->follows != ENG_FOLLOWS_NOT && walk->override_batch && walk->batch != 1)
        return follow(walk, value, &walk->tensors[v], err);
    walk->tensors[v] = value->tensor;
    return ENG_OK;
}

enum eng_status eng_shape_walk_begin(struct eng_shape_walk *walk, struct eng_error *err)
{
    enum eng_status status =
        eng_known_init(&walk->known, walk->graph, walk->training, walk->arena, err);
    for (size_t v = 0; status == ENG_OK && v < walk->graph->n_values; v++)
        status = eng_shape_walk_value(walk, v, err);
    return status;
}

enum eng_status eng_shape_walk_node(struct eng_shape_walk *walk, size_t i,
                                    struct eng_node_plan *plan, struct eng_error *err)
{
    const struct eng_node *node = &walk->graph->nodes[i];
    for (size_t k = 0; k < node->n_out; k++) /* a node may come twice */
        if (node->out[k] != ENG_NO_VALUE) walk->tensors[node->out[k]].data = NULL;
    return infer_node(walk, i, true, plan, err);
}

static void mark(bool *used, const int *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (values[i] != ENG_NO_VALUE) used[values[i]] = true;
}

/* What is computed from shapes is mostly steps on the way. Values that nodes read when the graph
 * runs, and outputs, are kept; of the others that they are known. */
static enum eng_status keep_read(const struct eng_shape_walk *walk,
                                 const struct eng_node_plan *nodes, struct eng_error *err)
{
    const struct eng_graph *graph = walk->graph;
    bool *used = eng_arena_alloc(walk->passing, graph->n_values + 1, sizeof *used);
    if (!used) return eng_fail_memory(err, "values known at plan time");
    mark(used, graph->outputs, graph->n_outputs);
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (!nodes[i].is_known) mark(used, graph->nodes[i].in, graph->nodes[i].n_in);
    for (size_t v = 0; v < graph->n_values; v++) {
        struct eng_tensor *tensor = &walk->tensors[v];
        if (!tensor->data || tensor->data == graph->values[v].tensor.data) continue;
        size_t n_bytes = (size_t)eng_tensor_bytes(tensor);
        void *copy = used[v] ? eng_arena_alloc(walk->arena, n_bytes + ENG_ALIGN, 1) : NULL;
        if (used[v] && !copy) return eng_fail_memory(err, "values known at plan time");
        if (copy && n_bytes > 0) memcpy(copy, tensor->data, n_bytes);
        tensor->data = copy ? copy : eng_known_forgotten();
    }
    return ENG_OK;
}

enum eng_status eng_shape_infer(const struct eng_graph *graph, int64_t batch, bool override_batch,
                                bool training, struct eng_arena *arena, struct eng_tensor *tensors,
                                struct eng_node_plan *nodes, struct eng_error *err)
{
    struct eng_arena passing;
    eng_arena_init(&passing);
    struct eng_shape_walk walk = {.graph = graph,
                                  .batch = batch,
                                  .override_batch = override_batch,
                                  .training = training,
                                  .arena = arena,
                                  .passing = &passing,
                                  .tensors = tensors};
    enum eng_status status = eng_shape_walk_begin(&walk, err);
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++)
        status = eng_shape_walk_node(&walk, i, &nodes[i], err);
    if (status == ENG_OK) status = keep_read(&walk, nodes, err);
    eng_arena_fini(&passing);
    return status;
}

static enum eng_status infer_two(const struct eng_graph *graph, bool override_batch,
                                 struct eng_arena *arena, struct eng_tensor *tensors,
                                 struct eng_error *err)
{
    struct eng_tensor *other = eng_arena_alloc(arena, graph->n_values + 1, sizeof *other);
    struct eng_node_plan *nodes = eng_arena_alloc(arena, graph->n_nodes + 1, sizeof *nodes);
    struct eng_node_plan *again = eng_arena_alloc(arena, graph->n_nodes + 1, sizeof *again);
    if (!other || !nodes || !again) return eng_fail_memory(err, "shape inference");
    enum eng_status status =
        eng_shape_infer(graph, 2, override_batch, false, arena, tensors, nodes, err);
    if (status == ENG_OK)
        status = eng_shape_infer(graph, 3, override_batch, false, arena, other, again, err);
    for (size_t v = 0; status == ENG_OK && v < graph->n_values; v++) {
        tensors[v].data = graph->values[v].tensor.data;
        for (int d = 0; d < tensors[v].shape.rank; d++)
            if (tensors[v].shape.dim[d] != other[v].shape.dim[d]) tensors[v].shape.dim[d] = -1;
    }
    return status;
}

enum eng_status eng_shape_infer_symbolic(const struct eng_graph *graph, bool override_batch,
                                         struct eng_tensor *tensors, struct eng_error *err)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    enum eng_status status = infer_two(graph, override_batch, &arena, tensors, err);
    eng_arena_fini(&arena);
    return status;
}
