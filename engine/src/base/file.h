/* Whole files: mapped for reading, replaced atomically when written. */
#ifndef ENG_BASE_FILE_H
#define ENG_BASE_FILE_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's bytes, read into memory: unlike a mapping it cannot change or vanish under us. */
struct eng_file {
    uint8_t *bytes;
    size_t n_bytes;
};

/*
 * Purpose: reads a regular file of at most max_bytes.
 * Errors: NOT_FOUND, IO, LIMIT, NO_MEMORY; the sentence names the path. End with eng_file_fini.
 */
enum eng_status eng_file_read(const char *path, size_t max_bytes, struct eng_file *out,
                              struct eng_error *err);
void eng_file_fini(struct eng_file *file);

/* Purpose: gives the memory of whole pages among the first n bytes back to the system: they have
 * been read and hold nothing afterwards. */
void eng_file_forget(struct eng_file *file, size_t n);

/* Purpose: reads a gzip file (or a plain one) as eng_file_read does; max_bytes bounds the unpacked
 * size. */
enum eng_status eng_file_read_gzip(const char *path, size_t max_bytes, struct eng_file *out,
                                   struct eng_error *err);

/* Purpose: writes beside path, fsyncs, renames over it: readers see the old or the new file, whole.
 */
enum eng_status eng_file_write(const char *path, const void *bytes, size_t n_bytes,
                               struct eng_error *err);

/*
 * Purpose: removes the temporary files that eng_file_write has left in folder in processes that
 *          died meanwhile; one that is being written stays, its writer holds a lock on it. What
 *          cannot be removed stays.
 */
void eng_file_remove_leftovers(const char *folder);

/* Purpose: mkdir -p. */
enum eng_status eng_file_make_dirs(const char *path, struct eng_error *err);

bool eng_file_is_dir(const char *path);
bool eng_file_exists(const char *path);

#endif
