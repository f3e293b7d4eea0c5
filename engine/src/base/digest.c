#include "base/digest.h"

#include "base/error.h"

#include <nettle/sha2.h>
#include <string.h>

/* Chunks stay in the L2 cache between reading and hashing. Less than MIN_THREAD_BYTES is hashed
 * sooner than a thread could begin. */
enum { CHUNK_BYTES = 64 << 10, MIN_THREAD_BYTES = 1 << 20 };

static void finish(struct sha256_ctx *context, char hex[ENG_DIGEST_CHARS])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[ENG_DIGEST_CHARS - 1] = '\0';
}

void eng_digest_sha256(const void *bytes, size_t n_bytes, char hex[ENG_DIGEST_CHARS])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, n_bytes, bytes);
    finish(&context, hex);
}

static void compute(struct eng_file_digest *digest)
{
    uint8_t chunk[CHUNK_BYTES];
    struct sha256_ctx context;
    sha256_init(&context);
    size_t n_bytes = digest->file->n_bytes;
    for (size_t at = 0, n; at < n_bytes && digest->status == ENG_OK; at += n) {
        if (atomic_load_explicit(&digest->stop, memory_order_relaxed)) return;
        n = n_bytes - at < sizeof chunk ? n_bytes - at : sizeof chunk;
        digest->status = eng_open_file_read(digest->file, at, chunk, n, &digest->error);
        if (digest->status == ENG_OK) sha256_update(&context, n, chunk);
    }
    finish(&context, digest->hex);
}

static void *thread_main(void *arg)
{
    compute(arg);
    return NULL;
}

void eng_file_digest_begin(const struct eng_open_file *file, struct eng_file_digest *digest)
{
    *digest = (struct eng_file_digest){.file = file, .status = ENG_OK};
    digest->is_thread = file->n_bytes >= MIN_THREAD_BYTES &&
                        pthread_create(&digest->thread, NULL, thread_main, digest) == 0;
}

enum eng_status eng_file_digest_end(struct eng_file_digest *digest, bool wanted,
                                    struct eng_error *err)
{
    if (!wanted) atomic_store_explicit(&digest->stop, true, memory_order_relaxed);
    if (digest->is_thread)
        pthread_join(digest->thread, NULL);
    else
        compute(digest);
    if (!wanted || digest->status == ENG_OK) return ENG_OK;
    return eng_fail(err, digest->status, "%s", digest->error.text);
}
