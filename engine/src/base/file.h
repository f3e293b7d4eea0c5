/* Files: read whole or piece by piece, replaced atomically when written. */
#ifndef ENG_BASE_FILE_H
#define ENG_BASE_FILE_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

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

/* A regular file whose bytes are read where they are wanted, by several threads if need be. */
struct eng_open_file {
    int fd;
    size_t n_bytes;
    const char *path; /* borrowed */
    struct timespec written;
};

/*
 * Purpose: opens a regular file of at most max_bytes.
 * Errors: NOT_FOUND, IO, LIMIT; the sentence names the path. End with eng_open_file_close.
 */
enum eng_status eng_file_open(const char *path, size_t max_bytes, struct eng_open_file *out,
                              struct eng_error *err);
void eng_open_file_close(struct eng_open_file *file);

/* Purpose: the same file once more, to be closed for itself; path is borrowed. Errors: IO. */
enum eng_status eng_open_file_again(const struct eng_open_file *file, const char *path,
                                    struct eng_open_file *out, struct eng_error *err);

/* Purpose: n bytes from offset on. Errors: IO, also when the file has become shorter. */
enum eng_status eng_open_file_read(const struct eng_open_file *file, size_t offset, void *to,
                                   size_t n, struct eng_error *err);

/* Purpose: fails with IO if somebody has written to the file since it was opened: what was read
 * may be partly old and partly new. */
enum eng_status eng_open_file_check(const struct eng_open_file *file, struct eng_error *err);

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
