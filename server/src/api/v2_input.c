#include "api/v2_input.h"

#include "base/fail.h"
#include "engine/image.h"
#include "serve/tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- the JSON --- */

int srv_v2_member(struct srv_json *json, const char *const *names, int n_names, unsigned *seen)
{
    for (int i = 0; i < n_names; i++) {
        if (!srv_json_is_key(json, names[i])) continue;
        if (*seen & 1u << i) srv_json_fail(json, "a second member of this name, wanted one");
        *seen |= 1u << i;
        return srv_json_peek(json) == SRV_JSON_NULL ? -1 : i;
    }
    return -1;
}

static bool read_name(struct srv_json *json, const struct srv_v2_model *model,
                      struct srv_v2_input *out)
{
    struct srv_json_text name;
    if (!srv_json_string(json, &name)) return false;
    out->has_name = true;
    if (srv_json_text_is(&name, model->input)) return true;
    return srv_json_fail(json, "the model has no input \"%.*s\", wanted \"%.100s\"",
                         name.n_bytes < 60 ? (int)name.n_bytes : 60, name.bytes, model->input);
}

static bool read_type(struct srv_json *json, struct srv_v2_input *out)
{
    struct srv_json_text name;
    if (!srv_json_string(json, &name)) return false;
    out->type = srv_v2_type_find(&name);
    if (out->type) return true;
    return srv_json_fail(json,
                         "\"%.*s\" is not taken, wanted FP32, FP64, FP16, UINT8 to UINT64, INT8 to "
                         "INT64, or BYTES for pictures",
                         name.n_bytes < 30 ? (int)name.n_bytes : 30, name.bytes);
}

static bool read_shape(struct srv_json *json, struct srv_v2_input *out)
{
    if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
    while (srv_json_next(json)) {
        if (out->shape.rank == ENG_MAX_RANK)
            return srv_json_fail(json, "wanted at most %d dimensions", ENG_MAX_RANK);
        int64_t dim;
        if (!srv_json_integer(json, 0, INT32_MAX, &dim)) return false;
        out->shape.dim[out->shape.rank++] = dim;
    }
    out->has_shape = true;
    return !json->failed;
}

/* Pictures in base64, in lists of any depth. */
static bool read_texts(struct srv_json *json, const struct srv_pictures_limits *limits,
                       struct srv_pictures *pictures)
{
    if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
    while (srv_json_next(json))
        if (srv_json_peek(json) == SRV_JSON_ARRAY)
            read_texts(json, limits, pictures);
        else
            srv_pictures_add_base64(pictures, SRV_BASE64_STRICT, limits, json);
    return !json->failed;
}

/* Whether the first value inside the lists that come next is a text; reads nothing. */
static bool begins_with_text(const struct srv_json *json)
{
    const char *at = json->at + strspn(json->at, " \n\r\t[");
    return *at == '"';
}

static bool read_data(struct srv_json *json, const struct srv_pictures_limits *limits,
                      struct srv_v2_input *out, struct srv_pictures *pictures)
{
    out->has_data = true;
    if (begins_with_text(json)) {
        read_texts(json, limits, pictures);
        out->n_texts = pictures->n_samples;
        return !json->failed;
    }
    if (!srv_json_read_numbers(json, limits->n_json_values, &out->numbers)) return false;
    json->failed = srv_pictures_own_take(pictures, out->numbers.values, json->err) != ENG_OK;
    return !json->failed;
}

static bool read_parameters(struct srv_json *json, struct srv_v2_input *out)
{
    static const char *const names[] = {"binary_data_size", "shared_memory_region"};
    unsigned seen = 0;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        int member = srv_v2_member(json, names, 2, &seen);
        if (member == 0)
            srv_json_integer(json, 0, INT64_MAX / 2, &out->binary_bytes);
        else if (member == 1)
            srv_json_fail(json, "shared memory is not taken, wanted data or binary_data_size");
        else
            srv_json_skip(json);
    }
    return !json->failed;
}

bool srv_v2_input_read(struct srv_json *json, const struct srv_v2_model *model,
                       const struct srv_pictures_limits *limits, struct srv_v2_input *out,
                       struct srv_pictures *pictures)
{
    static const char *const names[] = {"name", "datatype", "shape", "data", "parameters"};
    unsigned seen = 0;
    *out = (struct srv_v2_input){.binary_bytes = -1};
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        switch (srv_v2_member(json, names, 5, &seen)) {
        case 0:
            read_name(json, model, out);
            break;
        case 1:
            read_type(json, out);
            break;
        case 2:
            read_shape(json, out);
            break;
        case 3:
            read_data(json, limits, out, pictures);
            break;
        case 4:
            read_parameters(json, out);
            break;
        default:
            srv_json_skip(json);
        }
    }
    return !json->failed;
}

/* --- numbers --- */

/* What an error calls the input. */
static enum eng_status fail(const struct srv_v2_model *model, struct eng_error *err,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));
static enum eng_status fail(const struct srv_v2_model *model, struct eng_error *err,
                            const char *format, ...)
{
    char sentence[320];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return srv_fail(err, ENG_FORMAT, "inputs[0], \"%.100s\": %s", model->input, sentence);
}

/* The model's shape with any batch but 0. */
static bool is_models_shape(const struct srv_v2_model *model, const struct eng_shape *shape)
{
    if (shape->rank != model->shape.rank || shape->rank == 0 || shape->dim[0] < 1) return false;
    for (int i = 1; i < shape->rank; i++)
        if (shape->dim[i] != model->shape.dim[i]) return false;
    return true;
}

/* n_pictures tensors of the type, one behind the other. */
static enum eng_status add_tensors(const void *data, enum eng_dtype dtype, size_t n_pictures,
                                   const struct srv_v2_model *model,
                                   const struct srv_pictures_limits *limits,
                                   struct srv_pictures *pictures, struct eng_error *err)
{
    size_t n_bytes = model->n_numbers * srv_tensor_bytes(dtype);
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n_pictures && status == ENG_OK; i++) {
        const struct srv_sample sample = {.kind = SRV_SAMPLE_TENSOR,
                                          .dtype = dtype,
                                          .data = (const char *)data + i * n_bytes,
                                          .n_bytes = n_bytes};
        status = srv_pictures_add(pictures, limits, sample, err);
    }
    return status;
}

static enum eng_status check_range(const struct srv_v2_input *input,
                                   const struct srv_v2_model *model, struct eng_error *err)
{
    const struct srv_v2_type *type = input->type;
    if (isinf(type->max)) return ENG_OK; /* the reader takes finite floats only */
    for (size_t i = 0; i < input->numbers.n; i++) {
        double value = (double)input->numbers.values[i];
        if (value >= type->min && value <= type->max && (!type->is_whole || value == trunc(value)))
            continue;
        return fail(model, err, "element %zu is %.9g, wanted %s of %.20g to %.20g for %s", i, value,
                    type->is_whole ? "whole numbers" : "numbers", type->min, type->max, type->name);
    }
    return ENG_OK;
}

static enum eng_status take_json_numbers(const struct srv_v2_input *input, size_t n_pictures,
                                         const struct srv_v2_model *model,
                                         const struct srv_pictures_limits *limits,
                                         struct srv_pictures *pictures, struct eng_error *err)
{
    size_t n_wanted = n_pictures * model->n_numbers;
    if (input->numbers.n != n_wanted) {
        char shape[96];
        return fail(model, err, "data has %zu numbers, wanted %zu for the shape %s",
                    input->numbers.n, n_wanted,
                    eng_shape_format(&input->shape, shape, sizeof shape));
    }
    enum eng_status status = check_range(input, model, err);
    if (status != ENG_OK) return status;
    return add_tensors(input->numbers.values, ENG_FLOAT32, n_pictures, model, limits, pictures,
                       err);
}

static enum eng_status finish_numbers(const struct srv_v2_input *input,
                                      const struct srv_v2_model *model,
                                      const struct srv_pictures_limits *limits, const uint8_t *tail,
                                      size_t n_tail, struct srv_pictures *pictures,
                                      struct eng_error *err)
{
    char found[96], wanted[96];
    eng_shape_format(&input->shape, found, sizeof found);
    if (!is_models_shape(model, &input->shape))
        return fail(model, err, "the shape is %s, wanted %s with N of 1 or more", found,
                    eng_shape_format(&model->shape, wanted, sizeof wanted));
    size_t n_pictures = (size_t)input->shape.dim[0];
    if (n_pictures > limits->n_pictures)
        return srv_fail(err, ENG_LIMIT,
                        "the shape is %s, the batch wanted is at most %zu, max_pictures", found,
                        limits->n_pictures);
    if (input->n_texts > 0)
        return fail(model, err, "data holds texts, wanted numbers for %s", input->type->name);
    if (input->has_data) return take_json_numbers(input, n_pictures, model, limits, pictures, err);
    size_t n_wanted = n_pictures * model->n_numbers * srv_tensor_bytes(input->type->dtype);
    if (n_tail != n_wanted)
        return fail(model, err, "there are %zu bytes of binary data, wanted %zu for %s of shape %s",
                    n_tail, n_wanted, input->type->name, found);
    return add_tensors(tail, input->type->dtype, n_pictures, model, limits, pictures, err);
}

/* --- pictures --- */

static uint32_t read_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Each a length of four bytes, little-endian, and so many bytes. */
static enum eng_status take_binary_pictures(const uint8_t *tail, size_t n_tail,
                                            const struct srv_v2_model *model,
                                            const struct srv_pictures_limits *limits,
                                            struct srv_pictures *pictures, struct eng_error *err)
{
    for (size_t at = 0, i = 0; at < n_tail; i++) {
        size_t n_left = n_tail - at;
        if (n_left < 4)
            return fail(model, err, "element %zu has %zu bytes, wanted 4 that are its length", i,
                        n_left);
        size_t n_bytes = read_le32(tail + at);
        if (n_bytes > n_left - 4)
            return fail(model, err, "element %zu says it has %zu bytes, but %zu follow", i, n_bytes,
                        n_left - 4);
        const struct srv_sample sample = {
            .kind = SRV_SAMPLE_ENCODED, .data = tail + at + 4, .n_bytes = n_bytes};
        if (!eng_image_type(sample.data, n_bytes))
            return fail(model, err, "element %zu is no PNG or JPEG", i);
        enum eng_status status = srv_pictures_add(pictures, limits, sample, err);
        if (status != ENG_OK) return status;
        at += 4 + n_bytes;
    }
    return ENG_OK;
}

static enum eng_status finish_pictures(const struct srv_v2_input *input,
                                       const struct srv_v2_model *model,
                                       const struct srv_pictures_limits *limits,
                                       const uint8_t *tail, size_t n_tail,
                                       struct srv_pictures *pictures, struct eng_error *err)
{
    if (input->numbers.n > 0)
        return fail(model, err, "data holds numbers, wanted pictures in base64 for BYTES");
    enum eng_status status =
        input->has_data ? ENG_OK : take_binary_pictures(tail, n_tail, model, limits, pictures, err);
    if (status != ENG_OK) return status;
    char shape[96];
    eng_shape_format(&input->shape, shape, sizeof shape);
    if (input->shape.rank == 0 || eng_shape_count(&input->shape) != (int64_t)pictures->n_samples)
        return fail(model, err, "there are %zu pictures, but the shape is %s, wanted [%zu]",
                    pictures->n_samples, shape, pictures->n_samples);
    if (pictures->n_samples == 0)
        return fail(model, err, "the shape is %s, wanted one picture or more", shape);
    return ENG_OK;
}

/* --- the whole --- */

static enum eng_status check_presence(const struct srv_v2_input *input,
                                      const struct srv_v2_model *model, size_t n_tail,
                                      struct eng_error *err)
{
    const char *missing = !input->has_name    ? "name"
                          : !input->type      ? "datatype"
                          : !input->has_shape ? "shape"
                                              : NULL;
    if (missing) return fail(model, err, "there is no %s, wanted one", missing);
    if (input->has_data && (input->binary_bytes >= 0 || n_tail > 0))
        return fail(model, err, "there are data and %zu bytes of binary data, wanted one of them",
                    n_tail);
    if (!input->has_data && input->binary_bytes < 0 && n_tail == 0)
        return fail(model, err, "there are no data, wanted data or binary data");
    if (input->binary_bytes >= 0 && (size_t)input->binary_bytes != n_tail)
        return fail(model, err,
                    "binary_data_size is %lld, but %zu bytes stand behind the JSON "
                    "(Inference-Header-Content-Length says where it ends)",
                    (long long)input->binary_bytes, n_tail);
    return ENG_OK;
}

enum eng_status srv_v2_input_finish(const struct srv_v2_input *input,
                                    const struct srv_v2_model *model,
                                    const struct srv_pictures_limits *limits, const uint8_t *tail,
                                    size_t n_tail, struct srv_pictures *pictures,
                                    struct eng_error *err)
{
    enum eng_status status = check_presence(input, model, n_tail, err);
    if (status != ENG_OK) return status;
    if (input->type->dtype == ENG_DTYPE_NONE)
        return finish_pictures(input, model, limits, tail, n_tail, pictures, err);
    return finish_numbers(input, model, limits, tail, n_tail, pictures, err);
}

enum eng_status srv_v2_input_raw(const uint8_t *body, size_t n_body,
                                 const struct srv_v2_model *model,
                                 const struct srv_pictures_limits *limits,
                                 struct srv_pictures *pictures, struct eng_error *err)
{
    size_t n_wanted = model->n_numbers * srv_tensor_bytes(model->dtype);
    if (n_body == n_wanted) return add_tensors(body, model->dtype, 1, model, limits, pictures, err);
    const struct srv_sample sample = {.kind = SRV_SAMPLE_ENCODED, .data = body, .n_bytes = n_body};
    if (eng_image_type(body, n_body)) return srv_pictures_add(pictures, limits, sample, err);
    return srv_fail(
        err, ENG_FORMAT,
        "the body has %zu bytes, wanted %zu, the %s of one \"%.100s\", or a PNG or JPEG", n_body,
        n_wanted, srv_v2_type_name(model->dtype), model->input);
}
