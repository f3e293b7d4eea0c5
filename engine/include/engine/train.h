/* Training from a recipe: data in, an ONNX version folder out. */
#ifndef ENGINE_TRAIN_H
#define ENGINE_TRAIN_H

#include "engine/pool.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a run stands; passed to the observer after every step and at the end of every epoch. */
struct eng_train_progress {
    size_t epoch, n_epochs; /* epoch counts from 1 */
    size_t step, n_steps;   /* within the epoch, from 1 */
    double loss, accuracy;  /* running means over the epoch's training samples so far */
    size_t n_samples;       /* of the epoch so far */
    double samples_per_s;
    bool epoch_done;                 /* the two below are set */
    double test_loss, test_accuracy; /* on the held-out set */
};

struct eng_train_options {
    const char *recipe_path;
    const char *data_dir;  /* the folder that holds the recipe's data set, or is it */
    const char *out_dir;   /* models/NAME/VERSION; created, model.onnx replaced atomically */
    int64_t seed;          /* instead of the recipe's; -1: the recipe's */
    int64_t n_epochs;      /* instead of the recipe's; 0: the recipe's */
    struct eng_pool *pool; /* NULL: the calling thread alone */
    /* Called from the training thread; returning false stops the run with CANCELLED. NULL: none. */
    bool (*observe)(void *ctx, const struct eng_train_progress *progress);
    void *observe_ctx;
};

/*
 * Purpose: trains the recipe's network and writes out_dir/model.onnx with labels, preprocessing,
 * history and golden samples in its metadata. Same recipe, seed and data give the same file,
 * whatever the number of threads.
 * Errors: FORMAT (recipe or data, naming file and key or record), DIVERGED, IO, NO_MEMORY,
 * CANCELLED.
 */
enum eng_status eng_train(const struct eng_train_options *options, struct eng_error *err);

#endif
