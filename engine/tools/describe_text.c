#include "describe.h"

#include "describe_parts.h"

#include <stdio.h>
#include <string.h>

enum { PRINTED_NAME = 24, MAX_PRINTED_NAMES = 12 };

static void print_names(const char *what, const char *const *names, size_t n)
{
    printf("%-14s ", what);
    for (size_t i = 0; i < n && i < MAX_PRINTED_NAMES; i++)
        printf("%s%s", i ? ", " : "", names[i]);
    printf("%s\n", n > MAX_PRINTED_NAMES ? ", ..." : "");
}

static void print_classes(const struct eng_card *card)
{
    printf("classes        %zu\n", card->n_classes);
    print_names("labels", card->labels, card->n_classes);
}

static void print_without_pictures(const struct eng_card *card)
{
    if (card->no_pictures)
        printf("pictures       no, only raw tensors can be run: %s\n", card->no_pictures);
    else
        printf("pictures       no, vectors of features\n");
    if (card->n_features > 0) print_names("features", card->features, card->n_features);
    if (card->n_features > 0 && card->n_classes > 0) print_classes(card);
    if (card->n_features > 0 && card->n_classes == 0) printf("predicts       a number\n");
    if (card->history) printf("history        yes, in --json\n");
}

static void print_card(const struct eng_model *model, const char *path)
{
    const struct eng_card *card = eng_model_card(model);
    printf("model          %s\ndigest         %s\n", path, eng_model_digest(model));
    if (card->name[0]) printf("graph          %s\n", card->name);
    if (card->producer[0]) printf("producer       %s\n", card->producer);
    if (card->description[0]) printf("description    %s\n", card->description);
    if (!card->takes_images) {
        print_without_pictures(card);
        return;
    }
    describe_print_items(card);
    printf("golden samples %zu\nhistory        %s\n", card->n_golden,
           card->history ? "yes, in --json" : "none");
    describe_print_config(card);
}

static void print_value(const char *kind, const struct eng_model *model, int value)
{
    char shape[128];
    const struct eng_tensor *tensor = &model->symbolic[value];
    printf("%-14s '%s' %s %s\n", kind, describe_graph(model)->values[value].name,
           eng_dtype_name(tensor->dtype), eng_shape_format(&tensor->shape, shape, sizeof shape));
}

static void print_batches(const struct eng_model *model)
{
    if (eng_model_runs_one_by_one(model))
        printf("batches        samples run one by one: %s\n", model->why_one_by_one);
    else
        printf("batches        up to %d samples together\n", eng_model_max_batch(model));
}

/* The end of a long name tells more than its beginning. */
static const char *end_of(const char *name, char buffer[static PRINTED_NAME + 1])
{
    size_t n = strlen(name);
    if (n <= PRINTED_NAME) return name;
    const char *end = name + n - (PRINTED_NAME - 2);
    while ((*end & 0xc0) == 0x80) /* not within a letter */
        end++;
    snprintf(buffer, PRINTED_NAME + 1, "..%s", end);
    return buffer;
}

static void print_count(const struct eng_model *model)
{
    size_t n = describe_graph(model)->n_nodes, n_known = describe_known_nodes(model);
    printf("nodes          %zu in the file; %zu run", model->n_imported_nodes, n - n_known);
    if (n_known > 0) printf(", %zu follow from shapes and are computed while planning", n_known);
    if (n < model->n_imported_nodes)
        printf(", %zu are folded into others", model->n_imported_nodes - n);
    printf("\n");
}

static void print_nodes(const struct eng_model *model)
{
    printf("\n%4s  %-26s %-24s %-24s %12s %14s\n", "", "operator", "node", "output", "parameters",
           "FLOPs (N = 1)");
    for (size_t i = 0; i < describe_graph(model)->n_nodes; i++) {
        const struct eng_node *node = &describe_graph(model)->nodes[i];
        char shape[128], name[64], end[PRINTED_NAME + 1];
        if (describe_is_known(model, i)) continue;
        int out = node->n_out ? node->out[0] : ENG_NO_VALUE;
        printf("%4zu  %-26s %-24s %-24s %12zu %14.0f\n", i,
               describe_operator(node, name, sizeof name), end_of(node->name, end),
               out == ENG_NO_VALUE
                   ? ""
                   : eng_shape_format(&model->symbolic[out].shape, shape, sizeof shape),
               describe_node_parameters(model, node), model->plans[0]->nodes[i].flops);
    }
}

static void print_memory(const struct eng_model *model, const struct eng_plan *plan)
{
    printf("memory, N = %-3d arena %zu bytes, %zu of them scratch; all values side by side %zu "
           "bytes\n",
           (int)plan->batch, plan->arena_bytes, describe_scratch_bytes(model, plan),
           plan->values_bytes);
}

void tool_describe_print(const struct eng_model *model, const char *path)
{
    const struct eng_graph *graph = describe_graph(model);
    print_card(model, path);
    for (size_t i = 0; i < graph->n_inputs; i++)
        print_value("input", model, graph->inputs[i]);
    for (size_t i = 0; i < graph->n_outputs; i++)
        print_value("output", model, graph->outputs[i]);
    print_batches(model);
    print_count(model);
    print_nodes(model);
    printf("\nparameters     %zu\nFLOPs, N = 1   %.0f\n", describe_parameters(model),
           model->plans[0]->flops);
    print_memory(model, model->plans[0]);
    if (model->n_plans > 1) print_memory(model, model->plans[model->n_plans - 1]);
}
