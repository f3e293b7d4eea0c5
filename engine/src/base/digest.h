/* SHA-256 (FIPS 180-4), by nettle. */
#ifndef ENG_BASE_DIGEST_H
#define ENG_BASE_DIGEST_H

#include "base/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { ENG_DIGEST_CHARS = 65 }; /* 64 hex digits and the NUL */

void eng_digest_sha256(const void *bytes, size_t n_bytes, char hex[ENG_DIGEST_CHARS]);

/* The digest of a file that is computed while others read it too. */
struct eng_file_digest {
    const struct eng_open_file *file;
    bool is_thread; /* one computes it; else the caller does in the end */
    pthread_t thread;
    atomic_bool stop;
    enum eng_status status;
    struct eng_error error;
    char hex[ENG_DIGEST_CHARS];
};

/*
 * Purpose: begins to compute the digest, on a thread of its own if the file is large.
 * Ownership: borrows file until eng_file_digest_end, which must come. Threads: the thread reads the
 * file for itself, through a small buffer.
 */
void eng_file_digest_begin(const struct eng_open_file *file, struct eng_file_digest *digest);

/* Purpose: waits for it. wanted: false drops it, as soon as may be. Errors: IO. */
enum eng_status eng_file_digest_end(struct eng_file_digest *digest, bool wanted,
                                    struct eng_error *err);

#endif
