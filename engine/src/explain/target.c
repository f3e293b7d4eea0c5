#include "explain/target.h"

#include <string.h>

static bool is_softmax(const struct eng_node *node)
{
    return !*node->op->domain &&
           (strcmp(node->op->name, "Softmax") == 0 || strcmp(node->op->name, "LogSoftmax") == 0);
}

/* Of one sample. */
static int64_t row_count(const struct eng_shape *shape)
{
    struct eng_shape row = *shape;
    if (row.rank > 0) row.dim[0] = 1;
    return eng_shape_count(&row);
}

/* As many scores as answers, and those of a sample in its row. */
static bool fits(const struct eng_model *model, int value)
{
    const struct eng_shape *score = &model->symbolic[value].shape;
    const struct eng_shape *answer = &model->symbolic[model->answer].shape;
    return score->rank > 0 && answer->rank > 0 && score->dim[0] == answer->dim[0] &&
           row_count(score) == row_count(answer);
}

struct eng_explain_target eng_explain_find_target(const struct eng_model *model)
{
    const struct eng_graph *graph = &model->graph;
    int value = model->answer;
    struct eng_explain_target whole = {value, model->source.card.add_softmax};
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        if (node->out[0] != value) continue;
        if (node->n_in == 0 || node->activation.kind != ENG_ACT_NONE) return whole;
        value = node->in[0];
        if (is_softmax(node))
            return fits(model, value) ? (struct eng_explain_target){value, true} : whole;
        bool keeps = node->op->flags & (ENG_OP_VIEW | ENG_OP_NO_OP);
        if (!keeps && strcmp(node->op->name, "Cast") != 0) return whole;
    }
    return whole;
}
