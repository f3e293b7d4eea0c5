#include "explain_print.h"

#include <stdio.h>

/* A model that predicts a number has no classes. */
static const char *label_of(const struct eng_card *card, size_t class)
{
    return class < card->n_classes ? card->labels[class] : "";
}

/* --- words --- */

static void print_map(const struct eng_explanation *explanation)
{
    size_t n = (size_t)explanation->width_px * explanation->height_px;
    float least = explanation->map[0], most = explanation->map[0];
    for (size_t i = 1; i < n; i++) {
        if (explanation->map[i] < least) least = explanation->map[i];
        if (explanation->map[i] > most) most = explanation->map[i];
    }
    printf("map         %u x %u, from %.4g to %.4g, sum %.4g", explanation->width_px,
           explanation->height_px, (double)least, (double)most, explanation->sum);
    if (explanation->layer_name)
        printf(", of '%s', %u x %u", explanation->layer_name, explanation->layer_width,
               explanation->layer_height);
    puts("");
}

static void print_neighbours(const struct eng_explanation *explanation, const struct eng_card *card)
{
    printf("neighbours   index  %10s  label\n", tool_distance_name(explanation));
    for (size_t i = 0; i < explanation->n_neighbours; i++) {
        const struct eng_explain_neighbour *neighbour = &explanation->neighbours[i];
        printf("           %7zu  %10.*f  %s\n", neighbour->index, explanation->is_l2,
               neighbour->distance, label_of(card, neighbour->class_index));
    }
}

void tool_explanation_print(const struct eng_explanation *explanation, const struct eng_card *card)
{
    printf("class       %zu, %s\n", explanation->class_index,
           label_of(card, explanation->class_index));
    printf("probability %.3f %%\n", 100 * explanation->probability);
    printf("score       %.6g, '%s'", explanation->score, explanation->score_name);
    if (explanation->method == ENG_EXPLAIN_INTEGRATED_GRADIENTS)
        printf("; of the baseline %.6g", explanation->baseline_score);
    printf("\nmethod      %s: %s\n", eng_explain_method_name(explanation->method),
           eng_explain_method_shows(explanation->method));
    if (explanation->map) print_map(explanation);
    if (explanation->n_neighbours > 0) print_neighbours(explanation, card);
}

/* --- JSON --- */

static json_t *rows_json(const struct eng_explanation *explanation)
{
    json_t *rows = json_array();
    const float *value = explanation->map;
    for (uint32_t y = 0; y < explanation->height_px; y++) {
        json_t *row = json_array();
        for (uint32_t x = 0; x < explanation->width_px; x++)
            json_array_append_new(row, tool_json_number((double)*value++));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *map_json(const struct eng_explanation *explanation)
{
    json_t *layer = NULL;
    if (explanation->layer_name)
        layer = json_pack("{s:s, s:I, s:I}", "name", explanation->layer_name, "width",
                          (json_int_t)explanation->layer_width, "height",
                          (json_int_t)explanation->layer_height);
    return json_pack("{s:I, s:I, s:b, s:o, s:o*, s:o}", "width", (json_int_t)explanation->width_px,
                     "height", (json_int_t)explanation->height_px, "signed",
                     (int)explanation->is_signed, "sum", tool_json_number(explanation->sum),
                     "layer", layer, "values", rows_json(explanation));
}

json_t *tool_neighbours_json(const struct eng_explanation *explanation, const char *const *labels)
{
    json_t *list = json_array();
    for (size_t i = 0; i < explanation->n_neighbours; i++) {
        const struct eng_explain_neighbour *neighbour = &explanation->neighbours[i];
        json_t *row =
            json_pack("{s:I, s:I, s:s, s:o}", "index", (json_int_t)neighbour->index, "class",
                      (json_int_t)neighbour->class_index, "label", labels[neighbour->class_index],
                      "distance", tool_json_number(neighbour->distance));
        if (json_array_append_new(list, row)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

const char *tool_distance_name(const struct eng_explanation *explanation)
{
    return explanation->is_l2 ? "L2" : "L1";
}

/* What depends on the method; false when it cannot be JSON. */
static bool add_results(const struct eng_explanation *explanation, const struct eng_card *card,
                        json_t *value)
{
    int failed = 0;
    if (explanation->method == ENG_EXPLAIN_INTEGRATED_GRADIENTS)
        failed |= json_object_set_new(value, "baseline_score",
                                      tool_json_number(explanation->baseline_score));
    if (explanation->map) failed |= json_object_set_new(value, "map", map_json(explanation));
    if (explanation->method == ENG_EXPLAIN_NEIGHBOURS) {
        failed |=
            json_object_set_new(value, "distance", json_string(tool_distance_name(explanation)));
        failed |= json_object_set_new(value, "neighbours",
                                      tool_neighbours_json(explanation, card->labels));
    }
    return failed == 0;
}

enum eng_status tool_explanation_print_json(const struct eng_explanation *explanation,
                                            const struct eng_model *model, const char *model_path,
                                            const char *image_path, struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(model);
    json_t *value = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:s, s:b, s:I}", "model", model_path, "digest",
        eng_model_digest(model), "file", image_path, "method",
        eng_explain_method_name(explanation->method), "index", (json_int_t)explanation->class_index,
        "label", label_of(card, explanation->class_index), "probability",
        tool_json_number(explanation->probability), "score", tool_json_number(explanation->score),
        "score_name", explanation->score_name, "is_logit", (int)explanation->is_logit, "runs",
        (json_int_t)explanation->n_runs);
    if (value && !add_results(explanation, card, value)) {
        json_decref(value);
        value = NULL;
    }
    return tool_json_print_line_take(value, err);
}
