/* Any bytes are a recipe or an error sentence; a recipe's layers are a network or a sentence too.
 */
#include "train/network.h"
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Weights of a few MiB at most, so that a run takes no seconds. */
static int is_small(const struct eng_layer *layers, size_t n)
{
    if (n > 16) return 0;
    for (size_t i = 0; i < n; i++) {
        if (layers[i].options.outputs > 64) return 0;
        for (size_t k = 0; k < layers[i].n_branches; k++)
            if (!is_small(layers[i].branches[k].layers, layers[i].branches[k].n)) return 0;
    }
    return 1;
}

static void build(const struct eng_recipe *recipe)
{
    static uint8_t pixels[2 * 64] = {9, 80, 7, 60, 5, 40, 3, 20};
    const struct eng_dataset train = {.kind = ENG_DATASET_PICTURES,
                                      .n = 2,
                                      .width_px = 8,
                                      .height_px = 8,
                                      .n_channels = 1,
                                      .pixels = pixels};
    const struct eng_input input = {.kind = ENG_DATASET_PICTURES,
                                    .preprocess = {.color = ENG_COLOR_GRAY,
                                                   .width_px = 8,
                                                   .height_px = 8,
                                                   .scale = 1,
                                                   .std = {1, 1, 1}},
                                    .count = 64};
    const struct eng_network_shape shape = {&input, 4, &train, NULL};
    struct eng_graph graph;
    struct eng_network network;
    struct eng_error err = {0};
    eng_graph_init(&graph);
    enum eng_status status = eng_network_build(recipe, &shape, &graph, &network, &err);
    if (status == ENG_OK) status = eng_network_finish(&graph, &network, false, &err);
    if (status != ENG_OK && !err.text[0]) abort();
    eng_graph_fini(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct eng_recipe recipe, again;
    struct eng_error err = {0};
    if (eng_recipe_parse("recipe", data, n_bytes, NULL, &recipe, &err) != ENG_OK) {
        if (!err.text[0]) abort();
        return 0;
    }
    /* The text that goes into the model is a recipe again. */
    if (eng_recipe_parse("text", recipe.text, strlen(recipe.text), NULL, &again, NULL) != ENG_OK)
        abort();
    if (recipe.n_layers > 0 && is_small(recipe.layers, recipe.n_layers)) build(&recipe);
    eng_recipe_fini(&again);
    eng_recipe_fini(&recipe);
    return 0;
}
