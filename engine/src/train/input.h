/* How samples become inputs of the network: what a recipe and its training set ask for. */
#ifndef ENG_TRAIN_INPUT_H
#define ENG_TRAIN_INPUT_H

#include "engine/preprocess.h"
#include "graph/graph.h"
#include "train/base_model.h"
#include "train/dataset.h"
#include "train/recipe.h"

struct eng_input {
    enum eng_dataset_kind kind;
    struct eng_preprocess preprocess; /* PICTURES: into values, standardised per channel or not */
    size_t n_features;                /* VECTORS */
    size_t count;                     /* floats of one sample */
    /* Standardisation value by value (per pixel, per feature), done by the first nodes of the graph
     * and so wherever the file runs: [count] each, NULL: none. */
    float *mean, *deviation;
    uint8_t *mean_picture; /* PICTURES: [height_px, width_px, channels] what standardises to 0 */
};

/*
 * Purpose: size and colour from the data set; mean and deviation from the recipe or, to
 *          standardise, over all training samples.
 *          base: the model that training goes on from, NULL: none. Pictures are prepared as it does
 *          unless the recipe says otherwise, but always in its colours and layout.
 * Ownership: on success end with eng_input_fini.
 * Errors: FORMAT: channels that are not 1 or 3, another number of means than of channels, a channel
 *         that never varies, means for vectors; NO_MEMORY.
 * Cost: one pass over the training set.
 */
enum eng_status eng_input_prepare(const struct eng_recipe *recipe, const struct eng_dataset *train,
                                  const struct eng_base_model *base, struct eng_input *out,
                                  struct eng_error *err);
void eng_input_fini(struct eng_input *input);

/*
 * Purpose: adds the graph's input ("image" [N, C, H, W] or "features" [N, features]) and the nodes
 *          that standardise it. *in is the input; *value is what the first layer gets, of *shape
 *          with batch 1. Their constants are not trainable.
 * Errors: FORMAT, LIMIT, NO_MEMORY.
 */
enum eng_status eng_input_add_nodes(const struct eng_input *input, struct eng_graph *graph, int *in,
                                    int *value, struct eng_shape *shape, struct eng_error *err);

/*
 * Purpose: places sample i of the set at dst [count]. variant: which one of a picture, as augment
 *          says, its mean being the input's; NULL: it stays as it is, and augment and scratch may
 * be NULL too. scratch: eng_dataset_sample_bytes. Cannot fail.
 */
void eng_input_fill(const struct eng_input *input, const struct eng_dataset *set, size_t i,
                    const struct eng_augment_options *augment,
                    const struct eng_augment_variant *variant, uint8_t *scratch, float *dst);

#endif
