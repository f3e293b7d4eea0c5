/* Training from a recipe: data in, an ONNX version folder out. */
#ifndef ENGINE_TRAIN_H
#define ENGINE_TRAIN_H

#include "engine/pool.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One epoch as it went. Losses are means over samples, accuracies shares of them. What was not
 * measured is NAN, and so is the accuracy of a regression.
 */
struct eng_train_epoch {
    double learning_rate;  /* at the epoch's last step */
    double loss, accuracy; /* while training: augmented, dropped out, with each step's parameters */
    double validation_loss, validation_accuracy; /* afterwards; NAN without validation samples */
    double test_loss, test_accuracy; /* afterwards; NAN in an epoch that was not evaluated */
    double seconds;                  /* on the clock, with its evaluation */
};

/* Where a run stands; passed to the observer after every step and at the end of every epoch. */
struct eng_train_progress {
    size_t epoch, n_epochs; /* epoch counts from 1 */
    size_t n_resumed;       /* epochs that a run before this one has done; --resume */
    size_t step, n_steps;   /* within the epoch, from 1 */
    double loss, accuracy;  /* running means over the epoch's training samples so far; see above */
    size_t n_samples;       /* of the epoch so far */
    double samples_per_s;
    const struct eng_train_epoch *done; /* at the end of an epoch, else NULL */
};

/* A test sample that the finished model gets wrong. */
struct eng_train_mistake {
    size_t sample;           /* its number in the test set, from 0 */
    size_t label, predicted; /* classes */
    double probability;      /* of predicted */
    double loss;             /* -log of the label's probability */
    const uint8_t *pixels;   /* [height_px, width_px, n_channels]; NULL: samples are vectors */
};

enum { ENG_TRAIN_MAX_MISTAKES = 10 };

/* What a run came to. It owns everything in it; end with eng_train_report_destroy. */
struct eng_train_report {
    const char *name;   /* of the model */
    const char *recipe; /* JSON, as it was run */
    int64_t seed;
    size_t n_train, n_validation, n_test;
    size_t n_parameters; /* 0 if the method has none */
    double seconds;      /* on the clock; of a resumed run: all its parts together */

    const struct eng_train_epoch *epochs; /* [n_epochs] */
    size_t n_epochs;
    size_t kept_epoch; /* whose weights the model has, from 1; 0 without epochs */

    /* The model as it was written, asked about every test sample. */
    double test_loss;          /* of the recipe's loss; NAN if the method has none */
    double test_accuracy;      /* NAN: regression */
    size_t n_classes;          /* 0: regression, and then nothing below */
    const char *const *labels; /* [n_classes] */
    const size_t *confusion;   /* [n_classes, n_classes] a row per label, a column per answer;
                                  NULL above ENG_TRAIN_MAX_CONFUSION classes */
    const size_t *n_samples;   /* [n_classes] test samples with that label */
    const size_t *n_correct;   /* [n_classes] of them */
    uint32_t width_px, height_px, n_channels; /* of pictures; 0: samples are vectors */
    struct eng_train_mistake mistakes[ENG_TRAIN_MAX_MISTAKES]; /* the highest loss first */
    size_t n_mistakes;
};

enum { ENG_TRAIN_MAX_CONFUSION = 1000 };

/* NULL is accepted. */
void eng_train_report_destroy(struct eng_train_report *report);

struct eng_train_options {
    const char *recipe_path;
    const char *data_dir; /* the folder that holds the recipe's data set, or is it */
    const char *out_dir;  /* models/NAME/VERSION; created, model.onnx replaced atomically */
    int64_t seed;         /* instead of the recipe's; -1: the recipe's */
    int64_t n_epochs;     /* instead of the recipe's; 0: the recipe's */
    bool resume;          /* go on from out_dir's checkpoint; from the beginning without one */
    bool restart;         /* throw away out_dir's checkpoint; it is refused without either */
    const char *from;     /* a model to go on from, in place of the recipe's layers; NULL: none */
    const char *const
        *freeze; /* [n_freeze] names of layers that stay as they are, with the recipe's */
    size_t n_freeze;
    const char *const *settings; /* [n_settings] "path=value": changes to the recipe */
    size_t n_settings;
    struct eng_pool *pool; /* NULL: the calling thread alone */
    /* Called from the training thread; returning false stops the run with CANCELLED. NULL: none. */
    bool (*observe)(void *ctx, const struct eng_train_progress *progress);
    void *observe_ctx;
    /* Out: what the run came to, on success only. The caller destroys it. NULL: not wanted. */
    struct eng_train_report **report;
};

/*
 * Purpose: trains the recipe's model and writes out_dir/model.onnx with labels, preprocessing,
 * history and golden samples in its metadata. Same recipe, seed and data give the same file,
 * whatever the number of threads, and whether the run was resumed or not. After every epoch all
 * that is needed to go on stands in out_dir/checkpoint; it is removed when the model is written.
 * While a run lasts, another one into the same folder is refused.
 * Errors: ARGUMENT (another run is in out_dir, or one that did not end left its checkpoint), FORMAT
 * (recipe or data, naming file and key or record; a checkpoint of another recipe or other data),
 * DIVERGED, CANCELLED (both naming the checkpoint), IO, LIMIT, NO_MEMORY.
 */
enum eng_status eng_train(const struct eng_train_options *options, struct eng_error *err);

#endif
