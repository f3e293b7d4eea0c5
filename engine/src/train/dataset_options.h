/* What a recipe says about its data beside the network: where they lie and how they are read. */
#ifndef ENG_TRAIN_DATASET_OPTIONS_H
#define ENG_TRAIN_DATASET_OPTIONS_H

#include "base/json.h"

enum eng_cifar100_labels { ENG_CIFAR100_FINE, ENG_CIFAR100_COARSE };

struct eng_dataset_options {
    const char *dataset; /* the folder's name below --data; NULL if not given */
    int cifar100_labels; /* enum eng_cifar100_labels */
};

enum { ENG_DATASET_MAX_FIELDS = 16 }; /* bounds eng_n_dataset_fields */

/* Keys of the recipe's top level that belong to struct eng_dataset_options. */
extern const struct eng_field eng_dataset_fields[];
extern const size_t eng_n_dataset_fields;

/*
 * Purpose: the same from a whole recipe, all other keys of which are passed over: what a model's
 *          file says about the data that it was trained on. Strings go to place->arena.
 * Errors: FORMAT naming key, value found and wanted; NO_MEMORY.
 */
enum eng_status eng_dataset_options_read(const struct eng_json_place *place, const json_t *recipe,
                                         struct eng_dataset_options *out);

#endif
