#include "api/v1_body.h"

#include "base/fail.h"

#include <string.h>

struct reader {
    struct srv_json *json;
    const struct srv_v1_input *input;
    const struct srv_pictures_limits *limits;
    struct srv_pictures *out;
    size_t n_numbers; /* so far */
    bool has_input;
};

struct srv_v1_input srv_v1_input_of(const struct eng_model *model)
{
    struct srv_v1_input input;
    struct eng_tensor tensor = eng_model_input(model, 0, &input.name);
    input.shape = (struct eng_shape){.rank = tensor.shape.rank - 1};
    memcpy(input.shape.dim, tensor.shape.dim + 1, (size_t)input.shape.rank * sizeof(int64_t));
    return input;
}

/* --- numbers --- */

/* The shape, or the same flat, behind a batch if there is one. */
static bool is_right(const struct eng_shape *wanted, const struct srv_json_numbers *numbers,
                     size_t n_batch_dims)
{
    size_t rank = numbers->rank - n_batch_dims;
    const size_t *dim = numbers->dim + n_batch_dims;
    if (rank == 1 && dim[0] == (size_t)eng_shape_count(wanted)) return true;
    bool same = rank == (size_t)wanted->rank;
    for (size_t i = 0; same && i < rank; i++)
        same = dim[i] == (size_t)wanted->dim[i];
    return same;
}

static bool fail_shape(struct reader *r, const struct srv_json_numbers *numbers,
                       size_t n_batch_dims)
{
    struct eng_shape found = {.rank = (int)numbers->rank}, wanted = {.rank = (int)n_batch_dims};
    for (size_t i = 0; i < numbers->rank; i++)
        found.dim[i] = (int64_t)numbers->dim[i];
    if (n_batch_dims) wanted.dim[0] = -1;
    for (int i = 0; i < r->input->shape.rank && wanted.rank < ENG_MAX_RANK; i++)
        wanted.dim[wanted.rank++] = r->input->shape.dim[i];
    char found_text[120], wanted_text[120];
    return srv_json_fail(r->json,
                         "the shape is %s; input \"%.60s\" takes %s, or its %lld numbers flat",
                         eng_shape_format(&found, found_text, sizeof found_text), r->input->name,
                         eng_shape_format(&wanted, wanted_text, sizeof wanted_text),
                         (long long)eng_shape_count(&r->input->shape));
}

/* Nested lists: one sample, or with n_batch_dims of 1 a batch of them. */
static bool read_numbers(struct reader *r, size_t n_batch_dims)
{
    struct srv_json *json = r->json;
    struct srv_json_numbers numbers;
    if (!srv_json_read_numbers(json, r->limits->n_json_values, &numbers)) return false;
    json->failed = srv_pictures_own_take(r->out, numbers.values, json->err) != ENG_OK;
    if (json->failed) return false;
    r->n_numbers += numbers.n;
    if (r->n_numbers > r->limits->n_json_values)
        return srv_json_fail_limit(json, "there are more than %zu numbers, max_json_values",
                                   r->limits->n_json_values);
    if (numbers.rank <= n_batch_dims || !is_right(&r->input->shape, &numbers, n_batch_dims))
        return fail_shape(r, &numbers, n_batch_dims);
    size_t n_floats = (size_t)eng_shape_count(&r->input->shape);
    for (size_t i = 0; i < numbers.n && !json->failed; i += n_floats) {
        const struct srv_sample sample = {.kind = SRV_SAMPLE_TENSOR,
                                          .dtype = ENG_FLOAT32,
                                          .data = numbers.values + i,
                                          .n_bytes = n_floats * sizeof(float)};
        json->failed = srv_pictures_add(r->out, r->limits, sample, json->err) != ENG_OK;
    }
    return !json->failed;
}

/* --- values --- */

static bool read_element(struct reader *r, bool may_be_named);
static bool read_column(struct reader *r, bool may_be_named);

/* {"b64": text}, or {"<input>": what} if may_be_named. */
static bool read_object(struct reader *r, bool may_be_named,
                        bool (*what)(struct reader *r, bool may_be_named))
{
    struct srv_json *json = r->json;
    bool is_first = true;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    for (; srv_json_next(json); is_first = false) {
        if (!is_first)
            srv_json_fail(json, "this is a second member; wanted exactly one");
        else if (srv_json_is_key(json, "b64"))
            srv_pictures_add_base64(r->out, SRV_BASE64_LOOSE, r->limits, json);
        else if (may_be_named && srv_json_is_key(json, r->input->name))
            what(r, false);
        else if (may_be_named)
            srv_json_fail(json, "the model has no such input; wanted \"%.60s\" or \"b64\"",
                          r->input->name);
        else
            srv_json_fail(json, "wanted \"b64\", a PNG or JPEG as base64 text");
    }
    if (is_first) srv_json_fail(json, "the object is empty; wanted one member");
    return !json->failed;
}

static bool fail_kind(struct reader *r, enum srv_json_kind kind)
{
    return srv_json_fail(r->json, "this is %s; wanted lists of numbers or {\"b64\": \"...\"}",
                         srv_json_kind_name(kind));
}

/* One sample. */
static bool read_element(struct reader *r, bool may_be_named)
{
    enum srv_json_kind kind = srv_json_peek(r->json);
    if (kind == SRV_JSON_OBJECT) return read_object(r, may_be_named, read_element);
    return kind == SRV_JSON_ARRAY ? read_numbers(r, 0) : fail_kind(r, kind);
}

/* What the list begins with that comes next. */
static enum srv_json_kind first_kind(const struct srv_json *json)
{
    struct srv_json ahead = *json;
    ahead.err = NULL;
    bool is_there = srv_json_enter(&ahead, SRV_JSON_ARRAY) && srv_json_next(&ahead);
    return is_there ? srv_json_peek(&ahead) : SRV_JSON_NONE;
}

/* A list of samples: numbers are read at one go. */
static bool read_list(struct reader *r, bool may_be_named)
{
    enum srv_json_kind kind = srv_json_peek(r->json);
    if (kind != SRV_JSON_ARRAY) return fail_kind(r, kind);
    enum srv_json_kind first = first_kind(r->json);
    if (first != SRV_JSON_OBJECT && first != SRV_JSON_STRING) return read_numbers(r, 1);
    if (!srv_json_enter(r->json, SRV_JSON_ARRAY)) return false;
    while (srv_json_next(r->json))
        read_element(r, may_be_named);
    return !r->json->failed;
}

static bool read_column(struct reader *r, bool may_be_named)
{
    if (srv_json_peek(r->json) == SRV_JSON_OBJECT) return read_object(r, may_be_named, read_column);
    return read_list(r, false);
}

/* --- the whole --- */

static bool read_signature(struct srv_json *json)
{
    struct srv_json_text text;
    char name[64];
    if (!srv_json_string(json, &text) || !srv_json_copy(json, &text, name, sizeof name))
        return false;
    if (name[0] == '\0' || strcmp(name, SRV_V1_SIGNATURE) == 0) return true;
    return srv_json_fail(
        json, "this is \"%s\"; the model has one signature, \"" SRV_V1_SIGNATURE "\"", name);
}

static bool begin_input(struct reader *r, const char *wanted)
{
    if (r->has_input) return srv_json_fail(r->json, "this is a second input; wanted %s", wanted);
    return r->has_input = true;
}

static const char one_of_two[] = "exactly one of \"instances\" (rows) and \"inputs\" (columns)";

static bool read_predict(struct reader *r, bool *is_column)
{
    struct srv_json *json = r->json;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        if (srv_json_is_key(json, "instances")) {
            if (begin_input(r, one_of_two)) read_list(r, true);
        } else if (srv_json_is_key(json, "inputs")) {
            *is_column = true;
            if (begin_input(r, one_of_two)) read_column(r, true);
        } else if (srv_json_is_key(json, "signature_name")) {
            read_signature(json);
        } else {
            srv_json_skip(json);
        }
    }
    if (!r->has_input) srv_json_fail(json, "the object has no input; wanted %s", one_of_two);
    return srv_json_end(json);
}

static bool read_classify(struct reader *r)
{
    struct srv_json *json = r->json;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        if (srv_json_is_key(json, "examples")) {
            if (begin_input(r, "one list of \"examples\"")) read_list(r, true);
        } else if (srv_json_is_key(json, "context")) {
            srv_json_fail(json,
                          "there is one input, \"%.60s\", and examples hold it: nothing is "
                          "left for a context",
                          r->input->name);
        } else if (srv_json_is_key(json, "signature_name")) {
            read_signature(json);
        } else {
            srv_json_skip(json);
        }
    }
    if (!r->has_input) srv_json_fail(json, "the object has no \"examples\"; wanted a list of them");
    return srv_json_end(json);
}

static enum srv_code finish(struct reader *r, bool is_read, struct srv_pictures *out)
{
    if (!is_read) {
        enum srv_code code = srv_pictures_code(r->json->err);
        srv_pictures_fini(r->out);
        return code;
    }
    *out = *r->out;
    out->is_list = true;
    return SRV_OK;
}

enum srv_code srv_v1_read_predict(const char *body, size_t n_bytes,
                                  const struct srv_v1_input *input,
                                  const struct srv_pictures_limits *limits,
                                  struct srv_pictures *out, bool *is_column, struct eng_error *err)
{
    struct eng_error local = {0};
    struct srv_pictures pictures = {0};
    struct srv_json json;
    struct reader r = {&json, input, limits, &pictures, 0, false};
    bool column = false;
    srv_json_init(&json, body, n_bytes, err ? err : &local);
    enum srv_code code = finish(&r, read_predict(&r, &column), out);
    if (code == SRV_OK) *is_column = column;
    return code;
}

enum srv_code srv_v1_read_classify(const char *body, size_t n_bytes,
                                   const struct srv_v1_input *input,
                                   const struct srv_pictures_limits *limits,
                                   struct srv_pictures *out, struct eng_error *err)
{
    struct eng_error local = {0};
    struct srv_pictures pictures = {0};
    struct srv_json json;
    struct reader r = {&json, input, limits, &pictures, 0, false};
    srv_json_init(&json, body, n_bytes, err ? err : &local);
    return finish(&r, read_classify(&r), out);
}
