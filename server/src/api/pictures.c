#include "api/pictures.h"

#include "base/fail.h"
#include "engine/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void srv_pictures_fini(struct srv_pictures *pictures)
{
    for (size_t i = 0; i < pictures->n_blocks; i++)
        free(pictures->blocks[i]);
    free(pictures->blocks);
    free(pictures->samples);
    *pictures = (struct srv_pictures){0};
}

enum eng_status srv_pictures_add(struct srv_pictures *pictures,
                                 const struct srv_pictures_limits *limits, struct srv_sample sample,
                                 struct eng_error *err)
{
    if (pictures->n_samples == limits->n_pictures)
        return srv_fail(err, ENG_LIMIT, "the request holds more than %zu pictures, max_pictures",
                        limits->n_pictures);
    if (pictures->n_samples == pictures->capacity) {
        size_t capacity = pictures->capacity ? pictures->capacity * 2 : 1;
        struct srv_sample *samples = realloc(pictures->samples, capacity * sizeof *samples);
        if (!samples) return srv_fail_memory(err, "the pictures");
        pictures->samples = samples;
        pictures->capacity = capacity;
    }
    pictures->samples[pictures->n_samples++] = sample;
    return ENG_OK;
}

enum eng_status srv_pictures_own_take(struct srv_pictures *pictures, void *block,
                                      struct eng_error *err)
{
    void **blocks = realloc(pictures->blocks, (pictures->n_blocks + 1) * sizeof *blocks);
    if (!blocks) {
        free(block);
        return srv_fail_memory(err, "the pictures");
    }
    pictures->blocks = blocks;
    blocks[pictures->n_blocks++] = block;
    return ENG_OK;
}

enum srv_code srv_pictures_code(const struct eng_error *err)
{
    if (err->status == ENG_LIMIT) return SRV_TOO_LARGE;
    return err->status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_INVALID_REQUEST;
}

/* What people send by mistake, by its first bytes. */
static const char *describe(const uint8_t *bytes, size_t n_bytes)
{
    static const struct {
        const char *magic;
        const char *name;
    } rows[] = {
        {"GIF8", "a GIF"},         {"RIFF", "a WebP or other RIFF file"},
        {"BM", "a BMP"},           {"II*", "a TIFF"},
        {"MM", "a TIFF"},          {"%PDF", "a PDF"},
        {"\x1f\x8b", "gzip"},      {"PK\x03\x04", "a zip archive"},
        {"<", "HTML, XML or SVG"}, {"--", "a multipart body without its Content-Type header"},
        {"[", "a JSON array"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].magic);
        if (n_bytes >= n && memcmp(bytes, rows[i].magic, n) == 0) return rows[i].name;
    }
    for (size_t i = 0; i < n_bytes && i < 64; i++)
        if (!isprint(bytes[i]) && !isspace(bytes[i])) return "bytes of no known type";
    return "text";
}

static bool begins_as_object(const uint8_t *bytes, size_t n_bytes)
{
    size_t i = 0;
    while (i < n_bytes && isspace(bytes[i]))
        i++;
    return i < n_bytes && bytes[i] == '{';
}

static bool says_json(const char *content_type)
{
    size_t n = strcspn(content_type, "; \t");
    return n == 16 && strncasecmp(content_type, "application/json", n) == 0;
}

static enum srv_code read_encoded(const uint8_t *bytes, size_t n_bytes, struct srv_sample *sample,
                                  const char *what, struct eng_error *err)
{
    if (!eng_image_type(bytes, n_bytes)) {
        srv_fail(err, ENG_FORMAT,
                 "%s is %s; wanted a PNG or JPEG, a multipart/form-data of them, or a JSON object "
                 "with \"image\", \"images\" or \"pixels\"",
                 what, n_bytes == 0 ? "empty" : describe(bytes, n_bytes));
        return n_bytes == 0 ? SRV_INVALID_REQUEST : SRV_UNSUPPORTED_MEDIA_TYPE;
    }
    *sample = (struct srv_sample){.kind = SRV_SAMPLE_ENCODED, .data = bytes, .n_bytes = n_bytes};
    return SRV_OK;
}

static enum srv_code read_parts(const struct srv_request *request,
                                const struct srv_pictures_limits *limits, struct srv_pictures *out,
                                struct eng_error *err)
{
    if (request->n_parts == 0) {
        srv_fail(err, ENG_FORMAT, "the multipart form holds no file; wanted one or more");
        return SRV_INVALID_REQUEST;
    }
    enum srv_code code = SRV_OK;
    for (size_t i = 0; i < request->n_parts && code == SRV_OK; i++) {
        const struct srv_part *part = &request->parts[i];
        struct srv_sample sample;
        char what[160];
        snprintf(what, sizeof what, "part %zu \"%.100s\" of the form", i + 1,
                 part->file_name[0] ? part->file_name : part->name);
        code = read_encoded(part->data, part->n_bytes, &sample, what, err);
        if (code == SRV_OK && srv_pictures_add(out, limits, sample, err) != ENG_OK)
            code = srv_pictures_code(err);
    }
    out->is_list = out->n_samples > 1;
    return code;
}

static enum srv_code read_any(const struct srv_request *request, const struct eng_card *card,
                              const struct srv_pictures_limits *limits, struct srv_pictures *out,
                              struct eng_error *err)
{
    if (request->is_multipart) return read_parts(request, limits, out, err);
    bool is_picture = eng_image_type(request->body, request->n_body) != NULL;
    if (!is_picture && (begins_as_object(request->body, request->n_body) ||
                        (request->n_body > 0 && says_json(request->content_type))))
        return srv_pictures_read_json((const char *)request->body, request->n_body, card, limits,
                                      out, err);
    struct srv_sample sample;
    enum srv_code code = read_encoded(request->body, request->n_body, &sample, "the body", err);
    if (code == SRV_OK && srv_pictures_add(out, limits, sample, err) != ENG_OK)
        code = srv_pictures_code(err);
    return code;
}

enum srv_code srv_pictures_read(const struct srv_request *request, const struct eng_card *card,
                                const struct srv_pictures_limits *limits, struct srv_pictures *out,
                                struct eng_error *err)
{
    struct srv_pictures pictures = {0};
    struct eng_error local = {0};
    enum srv_code code = read_any(request, card, limits, &pictures, err ? err : &local);
    if (code == SRV_OK)
        *out = pictures;
    else
        srv_pictures_fini(&pictures);
    return code;
}
