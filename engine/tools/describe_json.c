#include "describe.h"

#include "describe_parts.h"

static json_t *shape_json(const struct eng_shape *shape)
{
    json_t *dims = json_array();
    for (int k = 0; k < shape->rank; k++)
        json_array_append_new(dims,
                              shape->dim[k] < 0 ? json_string("N") : json_integer(shape->dim[k]));
    return dims;
}

static json_t *value_json(const struct eng_model *model, int value)
{
    const struct eng_tensor *tensor = &model->symbolic[value];
    return json_pack("{s:s, s:s, s:o}", "name", describe_graph(model)->values[value].name, "type",
                     eng_dtype_name(tensor->dtype), "shape", shape_json(&tensor->shape));
}

static json_t *values_json(const struct eng_model *model, const int *values, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        if (values[i] != ENG_NO_VALUE) json_array_append_new(list, value_json(model, values[i]));
    return list;
}

static json_t *nodes_json(const struct eng_model *model)
{
    json_t *list = json_array();
    for (size_t i = 0; i < describe_graph(model)->n_nodes; i++) {
        const struct eng_node *node = &describe_graph(model)->nodes[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s?, s:o, s:I, s:b, s:f}", "operator", node->op->name,
                            "name", node->name, "activation", describe_activation(node), "outputs",
                            values_json(model, node->out, node->n_out), "parameters",
                            (json_int_t)describe_node_parameters(model, node), "known",
                            describe_is_known(model, i), "flops", model->plans[0]->nodes[i].flops));
    }
    return list;
}

static json_t *names_json(const char *const *names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    return list;
}

static json_t *guessed_json(unsigned guessed)
{
    json_t *list = json_array();
    for (size_t i = 0; i < describe_n_guesses; i++)
        if (guessed & describe_guesses[i].bit)
            json_array_append_new(list, json_string(describe_guesses[i].name));
    return list;
}

static json_t *origins_json(const struct eng_card *card)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < ENG_N_CARD_ITEMS; i++)
        json_object_set_new(object, eng_card_item_name((enum eng_card_item)i),
                            json_string(eng_origin_name(card->origin[i])));
    return object;
}

/* Adds what only a model that takes pictures has. */
static void add_card(json_t *object, const struct eng_card *card)
{
    json_object_update_new(
        object,
        json_pack("{s:I, s:o, s:o, s:s, s:b, s:b, s:I, s:o, s:o, s:I}", "classes",
                  (json_int_t)card->n_classes, "labels", names_json(card->labels, card->n_classes),
                  "preprocess", describe_preprocess_json(&card->preprocess), "output", card->output,
                  "add_softmax", card->add_softmax, "independent", card->independent, "top",
                  (json_int_t)card->top, "guessed", guessed_json(card->guessed), "origin",
                  origins_json(card), "golden_samples", (json_int_t)card->n_golden));
}

static void add_config(json_t *object, const struct eng_card *card)
{
    json_t *config = describe_config_json(card);
    if (json_object_size(config) > 0)
        json_object_set_new(object, "config_as_guessed", config);
    else
        json_decref(config);
}

/* And what only a model of vectors has. */
static void add_features(json_t *object, const struct eng_card *card)
{
    json_object_set_new(object, "features", names_json(card->features, card->n_features));
    json_object_set_new(object, "classes", json_integer((json_int_t)card->n_classes));
    json_object_set_new(object, "labels", names_json(card->labels, card->n_classes));
}

static json_t *memory_json(const struct eng_model *model, const struct eng_plan *plan)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f}", "batch", (json_int_t)plan->batch, "arena_bytes",
                     (json_int_t)plan->arena_bytes, "scratch_bytes",
                     (json_int_t)describe_scratch_bytes(model, plan), "values_bytes",
                     (json_int_t)plan->values_bytes, "flops", plan->flops);
}

json_t *tool_describe_json(const struct eng_model *model, const char *path)
{
    const struct eng_graph *graph = describe_graph(model);
    const struct eng_card *card = eng_model_card(model);
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:I, s:o}", "model", path,
                  "digest", eng_model_digest(model), "name", card->name, "producer", card->producer,
                  "description", card->description, "takes_images", card->takes_images, "max_batch",
                  model->max_batch, "inputs", values_json(model, graph->inputs, graph->n_inputs),
                  "outputs", values_json(model, graph->outputs, graph->n_outputs), "nodes",
                  nodes_json(model), "parameters", (json_int_t)describe_parameters(model),
                  "at_max_batch", memory_json(model, model->plans[model->n_plans - 1]));
    json_object_update_new(object, memory_json(model, model->plans[0]));
    json_object_set_new(object, "imported_nodes",
                        json_integer((json_int_t)model->n_imported_nodes));
    if (eng_model_runs_one_by_one(model))
        json_object_set_new(object, "one_by_one", json_string(model->why_one_by_one));
    if (card->no_pictures)
        json_object_set_new(object, "no_pictures", json_string(card->no_pictures));
    if (card->takes_images) {
        add_card(object, card);
        add_config(object, card);
    }
    if (card->n_features > 0) add_features(object, card);
    if (card->history) json_object_set_new(object, "history", json_loads(card->history, 0, NULL));
    if (card->recipe) json_object_set_new(object, "recipe", json_loads(card->recipe, 0, NULL));
    return object;
}
