#include "api/base64.h"
#include "api/pictures.h"
#include "base/fail.h"
#include "engine/image.h"

#include <stdlib.h>
#include <string.h>

static bool fail_memory(struct srv_json *json, const char *what)
{
    if (!json->failed) srv_fail_memory(json->err, what);
    json->failed = true;
    return false;
}

static size_t write_out(const struct srv_json_text *text, enum srv_base64_form form, char *out)
{
    size_t n = srv_json_unescape(text, out);
    return form == SRV_BASE64_LOOSE ? srv_base64_tidy(out, n) : n;
}

/* bytes: room for the text, which decoding in place has overwritten. */
static void fail_base64(struct srv_json *json, const struct srv_json_text *text,
                        enum srv_base64_form form, uint8_t *bytes)
{
    char why[128];
    size_t n = write_out(text, form, (char *)bytes);
    bool is_url = n > 5 && memcmp(bytes, "data:", 5) == 0;
    srv_base64_explain((const char *)bytes, n, why, sizeof why);
    srv_json_fail(json, "this is not base64: %s",
                  is_url ? "wanted what stands behind the comma" : why);
}

/* In place. What is strict, as nearly all is, is not gone through for blanks. */
static bool decode_text(const struct srv_json_text *text, enum srv_base64_form form, uint8_t *bytes,
                        size_t *n_bytes)
{
    char *chars = (char *)bytes;
    size_t n = write_out(text, SRV_BASE64_STRICT, chars);
    if (srv_base64_decode(chars, n, bytes, n_bytes)) return true;
    if (form == SRV_BASE64_STRICT) return false;
    return srv_base64_decode(chars, write_out(text, form, chars), bytes, n_bytes);
}

/* The picture that the text stands for, malloc'd; NULL with a failure. */
static uint8_t *decode(struct srv_json *json, const struct srv_json_text *text,
                       enum srv_base64_form form, size_t *n_bytes)
{
    enum { PADDING = 3 };
    uint8_t *bytes = malloc(text->n_bytes + PADDING + 1);
    if (!bytes) {
        fail_memory(json, "a picture");
        return NULL;
    }
    if (!decode_text(text, form, bytes, n_bytes))
        fail_base64(json, text, form, bytes);
    else if (!eng_image_type(bytes, *n_bytes))
        srv_json_fail(json, "this is base64, but of no PNG or JPEG");
    if (!json->failed) return bytes;
    free(bytes);
    return NULL;
}

bool srv_pictures_add_base64(struct srv_pictures *pictures, enum srv_base64_form form,
                             const struct srv_pictures_limits *limits, struct srv_json *json)
{
    struct srv_json_text text;
    size_t n_bytes;
    enum srv_json_kind kind = srv_json_peek(json);
    if (kind != SRV_JSON_STRING)
        return srv_json_fail(json, "this is %s, wanted a PNG or JPEG as base64 text",
                             srv_json_kind_name(kind));
    uint8_t *bytes = srv_json_string(json, &text) ? decode(json, &text, form, &n_bytes) : NULL;
    if (!bytes) return false;
    const struct srv_sample sample = {
        .kind = SRV_SAMPLE_ENCODED, .data = bytes, .n_bytes = n_bytes};
    json->failed = srv_pictures_own_take(pictures, bytes, json->err) != ENG_OK ||
                   srv_pictures_add(pictures, limits, sample, json->err) != ENG_OK;
    return !json->failed;
}

static bool read_images(struct srv_json *json, const struct srv_pictures_limits *limits,
                        struct srv_pictures *out)
{
    out->is_list = true;
    if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
    while (srv_json_next(json))
        srv_pictures_add_base64(out, SRV_BASE64_STRICT, limits, json);
    if (out->n_samples == 0) srv_json_fail(json, "the list \"images\" is empty");
    return !json->failed;
}

static bool read_member(struct srv_json *json, const struct eng_card *card,
                        const struct srv_pictures_limits *limits, struct srv_pictures *out)
{
    if (srv_json_is_key(json, "image"))
        return srv_pictures_add_base64(out, SRV_BASE64_STRICT, limits, json);
    if (srv_json_is_key(json, "images")) return read_images(json, limits, out);
    if (srv_json_is_key(json, "pixels")) return srv_pictures_read_pixels(json, card, limits, out);
    return srv_json_fail(json, "wanted exactly one member: \"image\", \"images\" or \"pixels\"");
}

static bool read_object(struct srv_json *json, const struct eng_card *card,
                        const struct srv_pictures_limits *limits, struct srv_pictures *out)
{
    enum srv_json_kind kind = srv_json_peek(json);
    if (kind != SRV_JSON_OBJECT && kind != SRV_JSON_NONE)
        return srv_json_fail(json, "this is %s; wanted {\"image\"}, {\"images\"} or {\"pixels\"}",
                             srv_json_kind_name(kind));
    bool is_first = true;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    for (; srv_json_next(json); is_first = false)
        if (!is_first)
            srv_json_fail(json, "this is a second member; wanted exactly one");
        else
            read_member(json, card, limits, out);
    if (is_first) srv_json_fail(json, "the object is empty; wanted one member, \"image\" for one");
    return srv_json_end(json);
}

enum srv_code srv_pictures_read_json(const char *json, size_t n_bytes, const struct eng_card *card,
                                     const struct srv_pictures_limits *limits,
                                     struct srv_pictures *out, struct eng_error *err)
{
    struct eng_error local = {0};
    struct srv_pictures pictures = {0};
    struct srv_json reader;
    if (!err) err = &local;
    srv_json_init(&reader, json, n_bytes, err);
    if (read_object(&reader, card, limits, &pictures)) {
        *out = pictures;
        return SRV_OK;
    }
    srv_pictures_fini(&pictures);
    return srv_pictures_code(err);
}
