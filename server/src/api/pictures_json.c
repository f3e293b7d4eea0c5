#include "api/base64.h"
#include "api/pictures.h"
#include "base/fail.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 8 };

static enum srv_code malformed(struct eng_error *err)
{
    return err && err->status == ENG_LIMIT ? SRV_TOO_LARGE : SRV_INVALID_REQUEST;
}

/*
 * Counts values and nesting before the parser allocates: a value costs it a hundred times the bytes
 * that
 * "[]," takes on the wire.
 */
static bool check_size(const char *json, size_t n_bytes, size_t max_values, struct eng_error *err)
{
    size_t n_values = 1, depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < n_bytes; i++) {
        char c = json[i];
        if (in_string) {
            if (c == '\\') i++;
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        n_values += c == ',' || c == '[' || c == '{';
        depth += c == '[' || c == '{';
        depth -= depth > 0 && (c == ']' || c == '}');
        if (depth > MAX_DEPTH) {
            srv_fail(err, ENG_FORMAT, "the JSON is nested deeper than %d", MAX_DEPTH);
            return false;
        }
        if (n_values > max_values) {
            srv_fail(err, ENG_LIMIT, "the JSON holds more than %zu values; send PNG instead",
                     max_values);
            return false;
        }
    }
    return true;
}

static enum srv_code read_image(const json_t *value, const char *what, struct srv_sample *sample,
                                struct eng_error *err)
{
    if (!json_is_string(value)) {
        srv_fail(err, ENG_FORMAT, "%s is no text; wanted a PNG or JPEG in base64", what);
        return SRV_INVALID_REQUEST;
    }
    const char *text = json_string_value(value);
    size_t n_chars = json_string_length(value), n_bytes = 0;
    uint8_t *bytes = malloc(n_chars / 4 * 3 + 1);
    if (!bytes) {
        srv_fail_memory(err, what);
        return SRV_INTERNAL;
    }
    bool is_base64 = srv_base64_decode(text, n_chars, bytes, &n_bytes);
    if (is_base64 && eng_image_type(bytes, n_bytes)) {
        *sample = (struct srv_sample){SRV_SAMPLE_ENCODED, bytes, n_bytes};
        return SRV_OK;
    }
    free(bytes);
    if (is_base64)
        srv_fail(err, ENG_FORMAT, "%s is base64, but of no PNG or JPEG", what);
    else
        srv_fail(err, ENG_FORMAT, "%s is not base64%s", what,
                 strncmp(text, "data:", 5) == 0 ? ": wanted what stands behind the comma" : "");
    return SRV_INVALID_REQUEST;
}

static enum srv_code read_images(const json_t *list, const struct srv_pictures_limits *limits,
                                 struct srv_pictures *out, struct eng_error *err)
{
    if (!json_is_array(list) || json_array_size(list) == 0) {
        srv_fail(err, ENG_FORMAT, "\"images\" is no list of pictures; wanted [\"<base64>\", ...]");
        return SRV_INVALID_REQUEST;
    }
    struct srv_pictures pictures;
    enum srv_code code = srv_pictures_allocate(json_array_size(list), true, limits, &pictures, err);
    if (code != SRV_OK) return code;
    pictures.is_list = true;
    for (size_t i = 0; i < pictures.n_samples && code == SRV_OK; i++) {
        char what[40];
        snprintf(what, sizeof what, "\"images\"[%zu]", i);
        code = read_image(json_array_get(list, i), what, &pictures.samples[i], err);
    }
    if (code == SRV_OK)
        *out = pictures;
    else
        srv_pictures_fini(&pictures);
    return code;
}

static enum srv_code read_object(const json_t *root, const struct eng_card *card,
                                 const struct srv_pictures_limits *limits, struct srv_pictures *out,
                                 struct eng_error *err)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)root));
    const json_t *value = key ? json_object_get(root, key) : NULL;
    if (json_object_size(root) == 1 && strcmp(key, "images") == 0)
        return read_images(value, limits, out, err);
    if (json_object_size(root) == 1 && strcmp(key, "pixels") == 0)
        return srv_pictures_read_pixels(value, card, limits, out, err);
    if (json_object_size(root) != 1 || strcmp(key, "image") != 0) {
        srv_fail(
            err, ENG_FORMAT,
            "the JSON object has %zu members%s%.80s%s; wanted exactly one: \"image\", \"images\" "
            "or \"pixels\"",
            json_object_size(root), key ? ", the first being \"" : "", key ? key : "",
            key ? "\"" : "");
        return SRV_INVALID_REQUEST;
    }
    struct srv_sample sample;
    enum srv_code code = read_image(value, "\"image\"", &sample, err);
    if (code != SRV_OK) return code;
    code = srv_pictures_allocate(1, true, limits, out, err);
    if (code == SRV_OK)
        out->samples[0] = sample;
    else
        free((void *)(uintptr_t)sample.data);
    return code;
}

enum srv_code srv_pictures_read_json(const char *json, size_t n_bytes, const struct eng_card *card,
                                     const struct srv_pictures_limits *limits,
                                     struct srv_pictures *out, struct eng_error *err)
{
    struct eng_error local = {0};
    if (!err) err = &local;
    if (!check_size(json, n_bytes, limits->n_json_values, err)) return malformed(err);
    json_error_t problem;
    json_t *root = json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        srv_fail(err, ENG_FORMAT, "the body is no JSON: line %d, column %d: %s", problem.line,
                 problem.column, problem.text);
        return SRV_INVALID_REQUEST;
    }
    enum srv_code code;
    if (json_is_object(root)) {
        code = read_object(root, card, limits, out, err);
    } else {
        srv_fail(err, ENG_FORMAT,
                 "the JSON is no object; wanted {\"image\"}, {\"images\"} or {\"pixels\"}");
        code = SRV_INVALID_REQUEST;
    }
    json_decref(root);
    return code;
}
