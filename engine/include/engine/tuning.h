/*
 * Which ways of computing a model may take where there are several: they differ in time, and in the
 * last bits of the answers.
 */
#ifndef ENGINE_TUNING_H
#define ENGINE_TUNING_H

#include "engine/status.h"

enum eng_tuning {
    ENG_TUNING_OFF,     /* shapes decide: the same file gives the same bits on every start */
    ENG_TUNING_MEASURE, /* each layer's ways are timed when the model is opened */
};

enum eng_precision {
    ENG_PRECISION_FLOAT32,
    ENG_PRECISION_BF16, /* products may round to bfloat16 (8 bits), where the CPU has instructions
                         */
};

/* What was measured, for models that are opened later: of the same shapes, or the same file. */
struct eng_tuning_cache;

/* Purpose: an empty one. Ownership: end with eng_tuning_cache_destroy; opened models do without it.
 * Threads: any may open models with it. Errors: NO_MEMORY. Cost: some 60 KiB, which
 * is all it ever takes: what was measured first goes first. */
enum eng_status eng_tuning_cache_create(struct eng_tuning_cache **out, struct eng_error *err);
void eng_tuning_cache_destroy(struct eng_tuning_cache *cache);

#endif
