/* Files that are read whole: settings, keys, certificates. */
#ifndef SRV_BASE_SMALL_FILE_H
#define SRV_BASE_SMALL_FILE_H

#include "engine/status.h"

#include <stddef.h>

/*
 * Purpose: the bytes of a file, with a NUL behind them. what ("api_keys_file") stands before the
 * path in errors. Ownership: the caller frees *out. Errors: IO, LIMIT (more than max_bytes),
 * NO_MEMORY.
 */
enum eng_status srv_small_file_read(const char *what, const char *path, size_t max_bytes,
                                    char **out, size_t *n_bytes, struct eng_error *err);

#endif
