/* The models folder: NAME/VERSION/ as a list. Names come from here only, never from a request. */
#ifndef SRV_SERVE_REPOSITORY_H
#define SRV_SERVE_REPOSITORY_H

#include "base/config_model.h"
#include "base/log.h"
#include "engine/status.h"

#include <stddef.h>
#include <stdint.h>

enum { SRV_MAX_VERSIONS = 4096 }; /* in the whole repository */

struct srv_folder {
    char model[SRV_MODEL_CHARS + 1];
    char version[SRV_VERSION_CHARS + 1]; /* a positive integer without leading zeros */
    uint64_t number;
    bool is_wanted; /* for the reload to say; the scan does not */
};

struct srv_repository {
    struct srv_folder *folders; /* sorted by model, then number */
    size_t n_folders;
};

/*
 * Purpose: lists the version folders. A model is a folder [A-Za-z0-9_.-]+, not beginning with a
 * dot; other folders are passed over with a line in the log (NULL: none). A folder without a
 * version is not a model. End with srv_repository_fini. Errors: NOT_FOUND, IO, LIMIT
 * (SRV_MAX_VERSIONS, path length), NO_MEMORY.
 */
enum eng_status srv_repository_scan(const char *models_dir, struct srv_log *log,
                                    struct srv_repository *out, struct eng_error *err);
void srv_repository_fini(struct srv_repository *repository);

#endif
