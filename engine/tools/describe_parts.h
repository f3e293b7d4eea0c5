/* What the two descriptions of a model, text and JSON, are made of. */
#ifndef TOOLS_DESCRIBE_PARTS_H
#define TOOLS_DESCRIBE_PARTS_H

#include "json.h"
#include "model/model_internal.h"

struct describe_guess {
    unsigned bit;
    const char *name;
};

extern const struct describe_guess describe_guesses[];
extern const size_t describe_n_guesses;

/* Purpose: the words that config.json uses. */
const char *describe_color(const struct eng_preprocess *pre);
const char *describe_resize(const struct eng_preprocess *pre);
const char *describe_filter(const struct eng_preprocess *pre);
const char *describe_layout(const struct eng_preprocess *pre);

/* Purpose: prints the card of a model that takes pictures: a line for each item, with its origin.
 */
void describe_print_items(const struct eng_card *card);

/* Purpose: preprocessing in the form that config.json takes; NULL when memory runs out. */
json_t *describe_preprocess_json(const struct eng_preprocess *pre);

/*
 * Purpose: a config.json that says what was guessed, as it was guessed: to be put right and then
 *          used. Of labels it names a file that is still to be written. Empty if nothing was
 *          guessed, NULL when memory runs out.
 */
json_t *describe_config_json(const struct eng_card *card);

/* Purpose: prints that with advice; nothing if nothing was guessed. */
void describe_print_config(const struct eng_card *card);

/* Purpose: the graph that runs: the file's after passes, or that with channels last. */
const struct eng_graph *describe_graph(const struct eng_model *model);

/* Purpose: the fused activation's ONNX name, NULL if none. */
const char *describe_activation(const struct eng_node *node);

/* Purpose: "Conv + Relu". Returns buf. */
const char *describe_operator(const struct eng_node *node, char *buf, size_t n);

/* Purpose: floats in the constants of the graph, or in those that one node reads. */
size_t describe_parameters(const struct eng_model *model);
size_t describe_node_parameters(const struct eng_model *model, const struct eng_node *node);

/* Purpose: nodes that follow from shapes and constants: computed while planning, whatever the
 * batch. */
size_t describe_known_nodes(const struct eng_model *model);
bool describe_is_known(const struct eng_model *model, size_t node);

/* Purpose: the part of the arena that nodes use as scratch, one after another. */
size_t describe_scratch_bytes(const struct eng_model *model, const struct eng_plan *plan);

#endif
