#include "graph/fuse_training.h"

#include "graph/links.h"

enum { MAX_INPUTS = 3 }; /* of an activation: Clip has most */

static bool is_relu(const struct eng_node *node, const struct eng_tensor *tensors)
{
    const struct eng_tensor *in[MAX_INPUTS];
    struct eng_activation activation;
    if (!(node->op->flags & ENG_OP_IS_ACTIVATION) || node->n_in > MAX_INPUTS) return false;
    for (size_t k = 0; k < node->n_in; k++)
        in[k] = node->in[k] == ENG_NO_VALUE ? NULL : &tensors[node->in[k]];
    struct eng_op_infer q = {
        .attrs = node->attrs, .opset = node->opset, .training = true, .n_in = node->n_in, .in = in};
    return node->op->activation(&q, &activation) && activation.kind == ENG_ACT_RELU;
}

/* The node that makes what node i alone reads; -1 if there is none. A value whose own gradient is
 * asked for keeps its memory to itself. */
static int producer_of(const struct eng_graph *graph, const struct eng_links *links, size_t i)
{
    int value = graph->nodes[i].in[0];
    int producer = value == ENG_NO_VALUE || links->uses[value] != 1 ? -1 : links->producer[value];
    if (producer < 0 || graph->nodes[producer].out[0] != value || graph->values[value].wants_grad ||
        graph->values[graph->nodes[i].out[0]].wants_grad)
        return -1;
    return producer;
}

enum eng_status eng_fuse_training(const struct eng_graph *graph, const struct eng_tensor *tensors,
                                  struct eng_node_plan *nodes, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        if (!is_relu(&graph->nodes[i], tensors)) continue;
        int producer = producer_of(graph, &links, i);
        if (producer < 0 || !(graph->nodes[producer].op->flags & ENG_OP_TRAINS_RELU) ||
            nodes[producer].activation.kind != ENG_ACT_NONE || nodes[producer].is_known)
            continue;
        nodes[producer].activation = (struct eng_activation){.kind = ENG_ACT_RELU};
        nodes[i].is_fused = true;
    }
    eng_links_fini(&links);
    return ENG_OK;
}
