#include "train/freeze.h"

#include "base/error.h"

#include <string.h>

/* Tries the last * with ever more letters when the rest does not fit. */
bool eng_freeze_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *from = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Freezes the nodes of that name. Returns how many there are. */
static size_t freeze_nodes(struct eng_graph *graph, const char *pattern)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (eng_freeze_matches(pattern, graph->nodes[i].name)) {
            graph->nodes[i].frozen = true;
            n++;
        }
    return n;
}

/* The same for single parameters, once what is trainable is marked. */
static size_t freeze_parameters(struct eng_graph *graph, const char *pattern)
{
    size_t n = 0;
    for (size_t v = 0; v < graph->n_values; v++) {
        struct eng_value *value = &graph->values[v];
        if (value->kind != ENG_VALUE_CONSTANT || !eng_freeze_matches(pattern, value->name))
            continue;
        value->trainable = false;
        n++;
    }
    return n;
}

/* A name to try instead: the first layer that has parameters. */
static const char *example(const struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op->trainable_inputs) return graph->nodes[i].name;
    return "";
}

static bool is_anything_trainable(const struct eng_graph *graph)
{
    for (size_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].trainable) return true;
    return false;
}

enum eng_status eng_freeze_apply(const struct eng_recipe *recipe, struct eng_graph *graph,
                                 struct eng_error *err)
{
    for (size_t i = 0; i < recipe->n_freeze; i++)
        freeze_nodes(graph, recipe->freeze[i]);
    eng_graph_mark_trainable(graph);
    for (size_t i = 0; i < recipe->n_freeze; i++)
        if (freeze_nodes(graph, recipe->freeze[i]) + freeze_parameters(graph, recipe->freeze[i]) ==
            0)
            return eng_fail(err, ENG_FORMAT,
                            "%s: freeze[%zu] is \"%.100s\", which is no layer and no parameter; "
                            "wanted a name such as \"%.100s\"",
                            recipe->path, i, recipe->freeze[i], example(graph));
    if (recipe->n_freeze > 0 && !is_anything_trainable(graph))
        return eng_fail(err, ENG_FORMAT,
                        "%s: freeze leaves nothing to be trained; wanted at least one layer "
                        "outside of it",
                        recipe->path);
    return ENG_OK;
}
