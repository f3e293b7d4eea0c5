#include "api/pictures.h"

#include "base/fail.h"
#include "engine/image.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void srv_pictures_fini(struct srv_pictures *pictures)
{
    for (size_t i = 0; pictures->owns_data && i < pictures->n_samples; i++)
        free((void *)(uintptr_t)pictures->samples[i].data);
    free(pictures->samples);
    *pictures = (struct srv_pictures){0};
}

enum srv_code srv_pictures_allocate(size_t n, bool owns_data,
                                    const struct srv_pictures_limits *limits,
                                    struct srv_pictures *out, struct eng_error *err)
{
    if (n > limits->n_pictures) {
        srv_fail(err, ENG_LIMIT, "the request holds %zu pictures; the limit is %zu", n,
                 limits->n_pictures);
        return SRV_TOO_LARGE;
    }
    struct srv_sample *samples = calloc(n, sizeof *samples);
    if (!samples) {
        srv_fail_memory(err, "the pictures");
        return SRV_INTERNAL;
    }
    *out = (struct srv_pictures){.samples = samples, .n_samples = n, .owns_data = owns_data};
    return SRV_OK;
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
    struct srv_pictures pictures;
    enum srv_code code = srv_pictures_allocate(request->n_parts, false, limits, &pictures, err);
    if (code != SRV_OK) return code;
    for (size_t i = 0; i < request->n_parts && code == SRV_OK; i++) {
        const struct srv_part *part = &request->parts[i];
        char what[160];
        snprintf(what, sizeof what, "part %zu \"%.100s\" of the form", i + 1,
                 part->file_name[0] ? part->file_name : part->name);
        code = read_encoded(part->data, part->n_bytes, &pictures.samples[i], what, err);
    }
    pictures.is_list = pictures.n_samples > 1;
    if (code == SRV_OK)
        *out = pictures;
    else
        srv_pictures_fini(&pictures);
    return code;
}

enum srv_code srv_pictures_read(const struct srv_request *request, const struct eng_card *card,
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
    if (code == SRV_OK) code = srv_pictures_allocate(1, false, limits, out, err);
    if (code == SRV_OK) out->samples[0] = sample;
    return code;
}
