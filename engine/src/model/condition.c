#include "model/condition.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/absent.h"

#include <stdlib.h>

void eng_condition_init(struct eng_condition *condition, const struct eng_graph *graph)
{
    *condition = (struct eng_condition){.begun = false};
    eng_arena_init(&condition->arena);
    for (int i = 0; i < 2; i++)
        condition->walks[i] =
            (struct eng_shape_walk){.graph = graph, .batch = i + 1, .arena = &condition->arena};
}

void eng_condition_fini(struct eng_condition *condition)
{
    for (int i = 0; i < 2; i++)
        free(condition->walks[i].tensors);
    eng_arena_fini(&condition->arena);
}

/* Values and nodes that have been added since the last look. */
static enum eng_status advance(struct eng_condition *condition, int i, struct eng_error *err)
{
    struct eng_shape_walk *walk = &condition->walks[i];
    const struct eng_graph *graph = walk->graph;
    if (!eng_grow(&walk->tensors, &condition->capacity[i], graph->n_values + 1,
                  sizeof *walk->tensors))
        return eng_fail_memory(err, "an If's condition");
    enum eng_status status = condition->begun ? ENG_OK : eng_shape_walk_begin(walk, err);
    for (size_t v = condition->n_values; status == ENG_OK && v < graph->n_values; v++)
        status = eng_shape_walk_value(walk, v, err);
    for (size_t n = condition->n_nodes; status == ENG_OK && n < graph->n_nodes; n++) {
        struct eng_node_plan plan = {0};
        status = eng_shape_walk_node(walk, n, &plan, err);
    }
    return status;
}

static enum eng_status advance_both(struct eng_condition *condition, struct eng_error *err)
{
    const struct eng_graph *graph = condition->walks[0].graph;
    enum eng_status status = advance(condition, 0, err), two = ENG_OK;
    /* A graph that takes one sample only has a condition all the same. */
    if (status == ENG_OK && !condition->two_fails) two = advance(condition, 1, NULL);
    if (two == ENG_NO_MEMORY) return eng_fail_memory(err, "an If's condition");
    condition->two_fails |= two != ENG_OK;
    condition->begun = true;
    condition->n_values = graph->n_values;
    condition->n_nodes = graph->n_nodes;
    return status;
}

enum eng_status eng_condition_find(struct eng_condition *condition, int value, bool *out,
                                   struct eng_error *err)
{
    enum eng_status status = advance_both(condition, err);
    if (status != ENG_OK) return status;
    const struct eng_tensor *one = &condition->walks[0].tensors[value];
    const struct eng_tensor *two = &condition->walks[1].tensors[value];
    if (one->dtype != ENG_BOOL || eng_shape_count(&one->shape) != 1) {
        char text[96];
        return eng_fail(err, ENG_FORMAT, "the condition is %s %s, wanted one bool",
                        eng_dtype_name(one->dtype),
                        eng_shape_format(&one->shape, text, sizeof text));
    }
    if (!one->data) return eng_fail(err, ENG_UNSUPPORTED, "%s", eng_absent_reason("", "If"));
    *out = *(const bool *)one->data;
    if (condition->two_fails) return ENG_OK;
    if (!two->data || *(const bool *)two->data != *out)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the condition depends on the number of samples; wanted one that does not: "
                        "export with a batch of 1");
    return ENG_OK;
}
