#include "train/checkpoint.h"

#include "base/cursor.h"
#include "base/digest.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "classifyd checkpoint\n";

enum { MAGIC_BYTES = sizeof magic - 1, DIGEST_BYTES = ENG_DIGEST_CHARS - 1, TAG_BYTES = 4 };

/* The numbers of an epoch in the file's order. */
enum { EPOCH_NUMBERS = 8 };

static void epoch_to_numbers(const struct eng_train_epoch *e, double v[EPOCH_NUMBERS])
{
    const double numbers[EPOCH_NUMBERS] = {
        e->learning_rate,       e->loss,      e->accuracy,      e->validation_loss,
        e->validation_accuracy, e->test_loss, e->test_accuracy, e->seconds};
    memcpy(v, numbers, sizeof numbers);
}

static struct eng_train_epoch epoch_of_numbers(const double v[EPOCH_NUMBERS])
{
    return (struct eng_train_epoch){v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

/* --- writing --- */

static void put_le32(FILE *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        fputc((int)(value >> 8 * i & 0xff), out);
}

static void put_le64(FILE *out, uint64_t value)
{
    put_le32(out, (uint32_t)value);
    put_le32(out, (uint32_t)(value >> 32));
}

static void put_double(FILE *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_le64(out, bits);
}

static void write_text(FILE *out, const char *const *text)
{
    size_t n = strlen(*text);
    put_le64(out, n);
    fwrite(*text, 1, n, out);
}

static void write_count(FILE *out, const uint64_t *value)
{
    put_le64(out, sizeof *value);
    put_le64(out, *value);
}

static void write_real(FILE *out, const double *value)
{
    put_le64(out, sizeof *value);
    put_double(out, *value);
}

/* Floats are written as they lie in memory: this engine runs on little-endian machines only. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats of a checkpoint are not swapped");

static void write_floats(FILE *out, const struct eng_checkpoint_floats *floats)
{
    put_le64(out, floats->n * sizeof *floats->v);
    if (floats->n > 0) fwrite(floats->v, sizeof *floats->v, floats->n, out);
}

static void write_epochs(FILE *out, const struct eng_checkpoint_epochs *epochs)
{
    put_le64(out, epochs->n * EPOCH_NUMBERS * sizeof(double));
    for (size_t e = 0; e < epochs->n; e++) {
        double v[EPOCH_NUMBERS];
        epoch_to_numbers(&epochs->v[e], v);
        for (size_t i = 0; i < EPOCH_NUMBERS; i++)
            put_double(out, v[i]);
    }
}

static void write_chunks(FILE *out, const struct eng_checkpoint *checkpoint)
{
    fwrite(magic, 1, MAGIC_BYTES, out);
    put_le32(out, ENG_CHECKPOINT_VERSION);
#define CHUNK(tag, type, member)    \
    fwrite(tag, 1, TAG_BYTES, out); \
    write_##type(out, &checkpoint->member);
#include "train/checkpoint.def"
#undef CHUNK
}

enum eng_status eng_checkpoint_format(const struct eng_checkpoint *checkpoint, uint8_t **bytes,
                                      size_t *n_bytes, struct eng_error *err)
{
    char *made = NULL, digest[ENG_DIGEST_CHARS];
    size_t n;
    FILE *out = open_memstream(&made, &n);
    if (!out) return eng_fail_memory(err, "the checkpoint");
    write_chunks(out, checkpoint);
    bool failed = fflush(out) != 0 || ferror(out);
    if (!failed) {
        eng_digest_sha256(made, n, digest);
        fwrite(digest, 1, DIGEST_BYTES, out);
        failed = ferror(out);
    }
    if (fclose(out) != 0 || failed) {
        free(made);
        return eng_fail_memory(err, "the checkpoint");
    }
    *bytes = (uint8_t *)made;
    *n_bytes = n;
    return ENG_OK;
}

/* --- reading --- */

/* What is being read; a reader that returns false has set neither member nor sentence. */
struct reading {
    struct eng_cursor body; /* of one chunk */
    struct eng_arena *arena;
    bool out_of_memory;
};

static bool taken(struct reading *r, const void *copy)
{
    if (!copy) r->out_of_memory = true;
    return copy;
}

static bool read_text(struct reading *r, const char **out)
{
    size_t n = eng_cursor_left(&r->body);
    const char *text = (const char *)eng_cursor_take(&r->body, n);
    if (memchr(text, 0, n)) return false;
    *out = eng_arena_string(r->arena, text, n);
    return taken(r, *out);
}

static bool read_count(struct reading *r, uint64_t *out)
{
    *out = eng_cursor_le64(&r->body);
    return true;
}

static double take_double(struct eng_cursor *c)
{
    uint64_t bits = eng_cursor_le64(c);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool read_real(struct reading *r, double *out)
{
    *out = take_double(&r->body);
    return true;
}

static bool read_floats(struct reading *r, struct eng_checkpoint_floats *out)
{
    size_t n = eng_cursor_left(&r->body);
    if (n % sizeof *out->v != 0) return false;
    out->n = n / sizeof *out->v;
    out->v = eng_arena_copy(r->arena, eng_cursor_take(&r->body, n), n);
    return taken(r, out->v);
}

static bool read_epochs(struct reading *r, struct eng_checkpoint_epochs *out)
{
    size_t n = eng_cursor_left(&r->body) / (EPOCH_NUMBERS * sizeof(double));
    struct eng_train_epoch *epochs = eng_arena_alloc(r->arena, n, sizeof *epochs);
    if (!taken(r, epochs)) return false;
    for (size_t e = 0; e < n; e++) {
        double v[EPOCH_NUMBERS];
        for (size_t i = 0; i < EPOCH_NUMBERS; i++)
            v[i] = take_double(&r->body);
        epochs[e] = epoch_of_numbers(v);
    }
    *out = (struct eng_checkpoint_epochs){epochs, n};
    return true;
}

static enum eng_status fail_chunk(const char *path, const char *tag, const struct reading *r,
                                  struct eng_error *err)
{
    if (r->out_of_memory) return eng_fail_memory(err, path);
    return eng_fail(err, ENG_FORMAT, "%s: no good checkpoint: chunk %s is missing or malformed",
                    path, tag);
}

/* Opens the next chunk, which must have this tag. */
static bool open_chunk(struct eng_cursor *file, const char *tag, struct reading *r)
{
    const uint8_t *found = eng_cursor_take(file, TAG_BYTES);
    uint64_t n = eng_cursor_le64(file);
    if (file->failed || memcmp(found, tag, TAG_BYTES) != 0) return false;
    const uint8_t *body = n <= SIZE_MAX ? eng_cursor_take(file, (size_t)n) : NULL;
    if (!body) return false;
    r->body = eng_cursor_over(body, (size_t)n);
    return true;
}

/* A chunk must hold what its type says, neither less nor more. */
static bool is_used_up(const struct reading *r)
{
    return !r->body.failed && eng_cursor_left(&r->body) == 0;
}

static enum eng_status read_chunks(const char *path, struct eng_cursor *file,
                                   struct eng_arena *arena, struct eng_checkpoint *out,
                                   struct eng_error *err)
{
    struct reading r = {.arena = arena};
#define CHUNK(tag, type, member)                                                         \
    if (!open_chunk(file, tag, &r) || !read_##type(&r, &out->member) || !is_used_up(&r)) \
        return fail_chunk(path, tag, &r, err);
#include "train/checkpoint.def"
#undef CHUNK
    if (eng_cursor_left(file) != 0)
        return eng_fail(err, ENG_FORMAT, "%s: no good checkpoint: %zu bytes follow its last chunk",
                        path, eng_cursor_left(file));
    return ENG_OK;
}

enum eng_status eng_checkpoint_parse(const char *path, const void *bytes, size_t n_bytes,
                                     struct eng_arena *arena, struct eng_checkpoint *out,
                                     struct eng_error *err)
{
    struct eng_cursor file = eng_cursor_over(bytes, n_bytes);
    const uint8_t *start = eng_cursor_take(&file, MAGIC_BYTES);
    if (!start || memcmp(start, magic, MAGIC_BYTES) != 0)
        return eng_fail(err, ENG_FORMAT, "%s: not a checkpoint of classify train", path);
    uint32_t version = eng_cursor_le32(&file);
    if (!file.failed && version != ENG_CHECKPOINT_VERSION)
        return eng_fail(err, ENG_FORMAT, "%s: a checkpoint of version %u; wanted %d", path, version,
                        ENG_CHECKPOINT_VERSION);
    char digest[ENG_DIGEST_CHARS] = "";
    size_t left = eng_cursor_left(&file);
    if (left >= DIGEST_BYTES) eng_digest_sha256(bytes, n_bytes - DIGEST_BYTES, digest);
    if (left < DIGEST_BYTES ||
        memcmp((const uint8_t *)bytes + n_bytes - DIGEST_BYTES, digest, DIGEST_BYTES) != 0)
        return eng_fail(err, ENG_FORMAT,
                        "%s: a damaged checkpoint: its SHA-256 is not the one that it ends with",
                        path);
    file.end -= DIGEST_BYTES;
    struct eng_checkpoint made = {0};
    enum eng_status status = read_chunks(path, &file, arena, &made, err);
    if (status == ENG_OK) *out = made;
    return status;
}
