/* What a recipe says about its data beside the network: where they lie and how they are read. */
#ifndef ENG_TRAIN_DATASET_OPTIONS_H
#define ENG_TRAIN_DATASET_OPTIONS_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

enum eng_cifar100_labels { ENG_CIFAR100_FINE, ENG_CIFAR100_COARSE };

/* "csv": how a table becomes samples. */
struct eng_csv_options {
    const char *target; /* the column to predict; NULL: the one that is none of features */
    double test_share;  /* of the rows, where there is no file of test rows; 0: not given */
    /* Never a recipe's: what a model says of data that its recipe does not describe. */
    const char *const *features; /* [n_features] names of columns; borrowed */
    size_t n_features;
    bool is_whole; /* where there is no file of test rows, every row is one, in either split */
};

enum eng_toy_kind { ENG_TOY_SPIRAL, ENG_TOY_CIRCLE, ENG_TOY_MOONS };

/* "toy": two-dimensional points that are made, not read. */
struct eng_toy_options {
    int kind;        /* enum eng_toy_kind */
    int64_t samples; /* of each split, all classes together */
    int64_t classes; /* spiral only; the others have 2 */
    double noise;    /* standard deviation */
};

struct eng_dataset_options {
    const char *dataset; /* the name of a folder or file below --data; NULL if not given */
    int cifar100_labels; /* enum eng_cifar100_labels */
    double test_share;   /* of each class folder, where there are no train and test; 0: not given */
    uint64_t seed;       /* draws the shares and the toys */
    uint32_t height_px, width_px; /* input.size; 0: as the pictures are */
    uint32_t n_channels;          /* input.channels; 0: as the pictures are */
    bool has_csv, has_toy;
    bool is_regression; /* the loss wants numbers to come close to, not classes */
    struct eng_csv_options csv;
    struct eng_toy_options toy;
};

/* The keys at the recipe's top level that are read here; beside them "size" and "channels" of
 * "input". */
enum { ENG_DATASET_N_KEYS = 5 };
extern const char *const eng_dataset_keys[ENG_DATASET_N_KEYS];

/* The tables behind them, for docs. */
extern const struct eng_field eng_dataset_fields[], eng_csv_fields[], eng_toy_fields[];
extern const size_t eng_n_dataset_fields, eng_n_csv_fields, eng_n_toy_fields;

/*
 * Purpose: reads these keys from a whole recipe and passes over all others. So it also tells what a
 *          model's file says about the data that it was trained on.
 * Ownership: strings go to place->arena.
 * Errors: FORMAT naming key, value found and wanted; NO_MEMORY.
 */
enum eng_status eng_dataset_options_read(const struct eng_json_place *place, const json_t *recipe,
                                         struct eng_dataset_options *out);

#endif
