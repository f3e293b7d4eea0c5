/* A run's checkpoint on disk: written after epochs, read back by --resume. */
#ifndef ENG_TRAIN_RESUME_H
#define ENG_TRAIN_RESUME_H

#include "base/digest.h"
#include "engine/status.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct eng_trainer;

struct eng_resume {
    char path[PATH_MAX]; /* of the checkpoint */
    char train_data[ENG_DIGEST_CHARS], test_data[ENG_DIGEST_CHARS];
    size_t saved_epoch; /* that the file holds, from 1; 0: none */
    double saved_s;     /* when, on eng_stopwatch_s */
};

/* Purpose: out_dir/checkpoint. Errors: ARGUMENT: the name is too long. */
enum eng_status eng_resume_path(const char *out_dir, char path[PATH_MAX], struct eng_error *err);

/*
 * Purpose: sets up resume, and if the run is to be resumed and there is a checkpoint, takes the
 *          trainer to where that stands.
 * Errors: FORMAT: a damaged checkpoint, or one of another recipe or other data, naming what
 *         differs; IO; LIMIT; NO_MEMORY. Cost: a digest of all data.
 */
enum eng_status eng_resume_load(struct eng_trainer *trainer, struct eng_error *err);

/*
 * Purpose: after an epoch: replaces the checkpoint, if a second or more has gone by since the last
 *          one; epochs shorter than that are not worth a write to the disk each.
 * Errors: IO, NO_MEMORY.
 */
enum eng_status eng_resume_save(struct eng_trainer *trainer, struct eng_error *err);

#endif
