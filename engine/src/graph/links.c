#include "graph/links.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>

void eng_links_fini(struct eng_links *links)
{
    free(links->uses);
    free(links->producer);
    free(links->reader);
    free(links->removed);
}

static void note(int *nodes, const int *values, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (values[k] != ENG_NO_VALUE) nodes[values[k]] = (int)i;
}

enum eng_status eng_links_init(const struct eng_graph *graph, struct eng_links *links,
                               struct eng_error *err)
{
    *links = (struct eng_links){.uses = eng_calloc(graph->n_values, sizeof *links->uses),
                                .producer = eng_calloc(graph->n_values, sizeof *links->producer),
                                .reader = eng_calloc(graph->n_values, sizeof *links->reader),
                                .removed = eng_calloc(graph->n_nodes, sizeof *links->removed)};
    if (!links->uses || !links->producer || !links->reader || !links->removed) {
        eng_links_fini(links);
        return eng_fail_memory(err, "a graph pass");
    }
    eng_graph_count_uses(graph, links->uses);
    for (size_t v = 0; v < graph->n_values; v++)
        links->producer[v] = links->reader[v] = -1;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        note(links->producer, graph->nodes[i].out, graph->nodes[i].n_out, i);
        note(links->reader, graph->nodes[i].in, graph->nodes[i].n_in, i);
    }
    return ENG_OK;
}

void eng_links_remove_marked(struct eng_graph *graph, const struct eng_links *links)
{
    size_t kept = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (!links->removed[i]) graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
}

void eng_node_view_fini(struct eng_node_view *view)
{
    free(view->in);
    free(view->out);
}

bool eng_node_view_init(struct eng_graph *graph, const struct eng_node *node,
                        struct eng_node_view *view)
{
    view->in = eng_calloc(node->n_in, sizeof *view->in);
    view->out = eng_calloc(node->n_out, sizeof *view->out);
    if (!view->in || !view->out) {
        eng_node_view_fini(view);
        return false;
    }
    for (size_t k = 0; k < node->n_in; k++)
        view->in[k] = node->in[k] == ENG_NO_VALUE ? NULL : &graph->values[node->in[k]].tensor;
    for (size_t k = 0; k < node->n_out; k++)
        view->out[k] = node->out[k] == ENG_NO_VALUE ? NULL : &graph->values[node->out[k]].tensor;
    view->q = (struct eng_op_infer){.attrs = node->attrs,
                                    .opset = node->opset,
                                    .n_in = node->n_in,
                                    .in = view->in,
                                    .n_out = node->n_out,
                                    .out = view->out};
    return true;
}
