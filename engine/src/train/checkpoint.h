/* A checkpoint: all that a run needs to go on after an epoch, as bytes. */
#ifndef ENG_TRAIN_CHECKPOINT_H
#define ENG_TRAIN_CHECKPOINT_H

#include "base/arena.h"
#include "engine/status.h"
#include "engine/train.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The file: "classifyd checkpoint" and a newline, the version as u32, then one chunk for each row
 * of checkpoint.def in that order, then the SHA-256 of everything before it as 64 hex digits. A
 * chunk is four letters, its size in bytes as u64, and the bytes. Numbers are little-endian.
 */
enum { ENG_CHECKPOINT_VERSION = 1 };
#define ENG_CHECKPOINT_MAX_BYTES ((size_t)16 << 30)

struct eng_checkpoint_floats {
    const float *v; /* [n] */
    size_t n;
};

struct eng_checkpoint_epochs {
    const struct eng_train_epoch *v; /* [n] */
    size_t n;
};

/* Borrowed, or (after parsing) in the arena that was given. */
struct eng_checkpoint {
    /* What it is bound to. */
    const char *recipe;     /* JSON as it was run */
    const char *train_data; /* digests */
    const char *test_data;
    const char *origin;  /* digest of the model that the run began from, "" if none */
    const char *changes; /* JSON list: what was changed when the run was resumed before */
    /* Where the run stands. */
    uint64_t n_optimiser_steps;
    uint64_t n_averaged;
    uint64_t best_epoch;
    double best;
    struct eng_checkpoint_epochs epochs;
    struct eng_checkpoint_floats weights;   /* parameters and state */
    struct eng_checkpoint_floats memory;    /* the optimiser's */
    struct eng_checkpoint_floats average;   /* n 0: none */
    struct eng_checkpoint_floats best_ones; /* weights of best_epoch; n 0: none */
};

/* Purpose: the file. Ownership: *bytes is malloc'd, the caller frees it. Errors: NO_MEMORY. */
enum eng_status eng_checkpoint_format(const struct eng_checkpoint *checkpoint, uint8_t **bytes,
                                      size_t *n_bytes, struct eng_error *err);

/*
 * Purpose: reads it back; path is for sentences.
 * Ownership: *out points into arena, not into bytes.
 * Errors: FORMAT (another file, another version, damaged or cut short), NO_MEMORY. Memory is taken
 *         only for what the bytes really hold.
 */
enum eng_status eng_checkpoint_parse(const char *path, const void *bytes, size_t n_bytes,
                                     struct eng_arena *arena, struct eng_checkpoint *out,
                                     struct eng_error *err);

#endif
