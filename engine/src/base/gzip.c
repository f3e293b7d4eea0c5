/* Gzip files (RFC 1952), by zlib. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    GZIP_WINDOW_BITS = 15 + 16,   /* zlib's spelling of "with gzip's header and trailer" */
    ZLIB_CHUNK_BYTES = 1 << 30,   /* zlib counts in unsigned int */
    PACKED_EXTRA_BYTES = 1 << 16, /* incompressible data grow a little when packed */
};

/* The unpacked bytes so far. */
struct output {
    uint8_t *bytes;
    size_t n_bytes, capacity, max_bytes;
};

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Doubles the room, up to one byte more than the limit: that byte tells "full" from "too large". */
static enum eng_status make_room(struct output *out, const char *path, struct eng_error *err)
{
    if (out->n_bytes > out->max_bytes)
        return eng_fail(err, ENG_LIMIT, "%s: unpacks to more than %zu bytes", path, out->max_bytes);
    if (out->n_bytes < out->capacity) return ENG_OK;
    size_t capacity = min(out->capacity * 2, out->max_bytes + 1);
    uint8_t *bytes = realloc(out->bytes, capacity);
    if (!bytes)
        return eng_fail(err, ENG_NO_MEMORY, "%s: out of memory for %zu unpacked bytes", path,
                        capacity);
    out->bytes = bytes;
    out->capacity = capacity;
    return ENG_OK;
}

/* Unpacks every member: gzip files may be joined end to end. */
static enum eng_status inflate_all(z_stream *z, const struct eng_file *packed, struct output *out,
                                   const char *path, struct eng_error *err)
{
    const uint8_t *end = packed->bytes + packed->n_bytes;
    z->next_in = packed->bytes;
    for (int code = Z_OK;;) {
        enum eng_status status = make_room(out, path, err);
        if (status != ENG_OK) return status;
        z->avail_in = (uInt)min((size_t)(end - z->next_in), ZLIB_CHUNK_BYTES);
        if (code == Z_STREAM_END) {
            if (!z->avail_in) return ENG_OK;
            inflateReset(z);
        }
        z->next_out = out->bytes + out->n_bytes;
        uInt room = (uInt)min(out->capacity - out->n_bytes, ZLIB_CHUNK_BYTES);
        z->avail_out = room;
        code = inflate(z, Z_NO_FLUSH);
        out->n_bytes += room - z->avail_out;
        if (code == Z_MEM_ERROR) return eng_fail_memory(err, path);
        if (code != Z_OK && code != Z_STREAM_END)
            return eng_fail(err, ENG_FORMAT, "%s: not a whole gzip file: %s at byte %zu of %zu",
                            path, z->msg ? z->msg : "ends early",
                            (size_t)(z->next_in - packed->bytes), packed->n_bytes);
    }
}

static enum eng_status unpack(const struct eng_file *packed, size_t max_bytes, const char *path,
                              struct eng_file *file, struct eng_error *err)
{
    struct output out = {.max_bytes = min(max_bytes, SIZE_MAX / 4)};
    out.capacity = min(packed->n_bytes * 4, out.max_bytes + 1);
    out.bytes = malloc(out.capacity);
    z_stream z = {0};
    if (!out.bytes || inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK) {
        free(out.bytes);
        return eng_fail_memory(err, path);
    }
    enum eng_status status = inflate_all(&z, packed, &out, path, err);
    inflateEnd(&z);
    if (status == ENG_OK)
        *file = (struct eng_file){.bytes = out.bytes, .n_bytes = out.n_bytes};
    else
        free(out.bytes);
    return status;
}

enum eng_status eng_file_read_gzip(const char *path, size_t max_bytes, struct eng_file *out,
                                   struct eng_error *err)
{
    struct eng_file file;
    size_t max_packed = max_bytes;
    eng_add_size(max_bytes, PACKED_EXTRA_BYTES, &max_packed);
    enum eng_status status = eng_file_read(path, max_packed, &file, err);
    if (status != ENG_OK) return status;
    if (file.n_bytes >= 2 && file.bytes[0] == 0x1f && file.bytes[1] == 0x8b) {
        status = unpack(&file, max_bytes, path, out, err);
        eng_file_fini(&file);
        return status;
    }
    if (file.n_bytes > max_bytes) {
        status = eng_fail(err, ENG_LIMIT, "%s: %zu bytes, but at most %zu are read", path,
                          file.n_bytes, max_bytes);
        eng_file_fini(&file);
        return status;
    }
    *out = file;
    return ENG_OK;
}
