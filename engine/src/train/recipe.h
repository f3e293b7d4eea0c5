/* A recipe: the JSON file that says what to train, on what, and how. */
#ifndef ENG_TRAIN_RECIPE_H
#define ENG_TRAIN_RECIPE_H

#include "base/arena.h"
#include "engine/status.h"
#include "ops/attrs.h"
#include "train/augment.h"
#include "train/average.h"
#include "train/dataset_options.h"
#include "train/knn.h"
#include "train/early_stopping.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENG_RECIPE_MAX_BYTES = 1 << 20,
    ENG_RECIPE_MAX_LAYERS = 1000, /* repeats and branches counted out */
    ENG_RECIPE_MAX_DEPTH = 8,     /* lists of layers in lists of layers */
    ENG_RECIPE_MAX_BRANCHES = 8,
};

struct eng_layer_kind; /* layer.h */

/* The keys of a layer beside its operator's attributes; which of them a kind takes is its table's.
 */
struct eng_layer_options {
    int64_t outputs; /* Conv: channels, Gemm: units */
    bool bias;
    int init; /* index into eng_initialiser_names */
    double init_std, whitening_epsilon;
    double ratio;
    double scale_init, bias_init; /* BatchNormalization: every first value */
    bool frozen;
};

/* Layers that follow one another; none: what comes in goes out. */
struct eng_layer_list {
    struct eng_layer *layers;
    size_t n;
};

struct eng_layer {
    const struct eng_layer_kind *kind;
    const char *name;  /* of the node; no two are alike */
    const char *place; /* "layers[3].branches[1][0]", for sentences */
    struct eng_layer_options options;
    const struct eng_attr *attrs; /* the operator's, as given */
    size_t n_attrs;
    const struct eng_layer_list *branches; /* [n_branches] Add: each gets what comes in */
    size_t n_branches;
};

/* Over what mean and deviation are taken; vectors: feature by feature, unless NONE. */
enum eng_standardise { ENG_STANDARDISE_NONE, ENG_STANDARDISE_CHANNEL, ENG_STANDARDISE_PIXEL };

/* value = (pixel * scale - mean) / std; see struct eng_preprocess. */
struct eng_recipe_input {
    double scale;
    bool is_given;        /* the recipe says something of the below */
    int standardise;      /* enum eng_standardise; from the training set */
    size_t n_mean, n_std; /* given ones, 0 or one per channel; they win */
    float mean[3], std[3];
};

struct eng_recipe {
    struct eng_arena arena;         /* everything below */
    const char *path;               /* for sentences */
    const char *text;               /* its JSON with the overrides in it, compact */
    const char *name, *description; /* description: NULL if not given */
    struct eng_dataset_options data;
    int method; /* index into eng_method_names */
    int64_t seed, epochs, batch, shards, golden;
    double clip_gradient_norm; /* 0: off */
    double validation;         /* share of the training set that is held out; 0: none */
    int64_t evaluate_every_epochs;
    struct eng_early_stopping_options early_stopping;
    struct eng_average_options average;
    const char *const *labels; /* [n_labels], 0 if not given */
    size_t n_labels;
    struct eng_recipe_input input;
    struct eng_augment_options augment;
    struct eng_loss_options loss;
    struct eng_optimiser_options optimiser;
    struct eng_schedule_options schedule;
    struct eng_knn_options knn; /* method knn */
    struct eng_layer *layers;
    size_t n_layers;
    const char *from;          /* a model's path, in place of layers; NULL: none */
    const char *const *freeze; /* [n_freeze] patterns of names, see freeze.h */
    size_t n_freeze;
};

/* What the command line says instead of the file. */
struct eng_recipe_overrides {
    int64_t seed;                /* -1: the recipe's */
    int64_t epochs;              /* 0: the recipe's */
    const char *const *settings; /* [n_settings] "path=value", see recipe_override.h */
    size_t n_settings;
    const char *from; /* goes in place of the recipe's from or layers; NULL: the recipe's */
    const char *const *freeze; /* [n_freeze] after the recipe's own */
    size_t n_freeze;
};

/*
 * Purpose: reads and checks a recipe. overrides may be NULL.
 * Ownership: on success end with eng_recipe_fini.
 * Errors: NOT_FOUND, IO, LIMIT, NO_MEMORY; FORMAT naming file, key, value found and wanted, for an
 *         unknown key also the nearest one.
 */
enum eng_status eng_recipe_load(const char *path, const struct eng_recipe_overrides *overrides,
                                struct eng_recipe *out, struct eng_error *err);

/* Purpose: the same from bytes; path is for the sentences. */
enum eng_status eng_recipe_parse(const char *path, const void *bytes, size_t n_bytes,
                                 const struct eng_recipe_overrides *overrides,
                                 struct eng_recipe *out, struct eng_error *err);

void eng_recipe_fini(struct eng_recipe *recipe);

#endif
