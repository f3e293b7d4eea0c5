#include "api/v2_request.h"

#include "api/v2_input.h"
#include "base/fail.h"

#include <stdlib.h>
#include <string.h>

/* A request while its JSON is read. */
struct reading {
    const struct srv_v2_model *model;
    const struct srv_pictures_limits *limits;
    struct srv_v2_request *out;
    struct srv_pictures *inputs;
    struct srv_v2_input input;
    size_t n_inputs;
    bool all_binary;                      /* parameters.binary_data_output */
    bool says_binary[SRV_V2_MAX_OUTPUTS]; /* the output's own parameter does */
};

/* --- members --- */

static bool read_parameters(struct srv_json *json, struct reading *r)
{
    static const char *const names[] = {"timeout", "priority", "binary_data_output"};
    unsigned seen = 0;
    int64_t priority = 0;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        switch (srv_v2_member(json, names, 3, &seen)) {
        case 0:
            srv_json_integer(json, 0, INT64_MAX / 4, &r->out->timeout_us);
            break;
        case 1:
            srv_json_integer(json, 0, UINT32_MAX, &priority);
            break;
        case 2:
            srv_json_bool(json, &r->all_binary);
            break;
        default:
            srv_json_skip(json);
        }
    }
    r->out->priority = (unsigned)priority;
    return !json->failed;
}

static bool read_inputs(struct srv_json *json, struct reading *r)
{
    if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
    for (; srv_json_next(json); r->n_inputs++)
        if (r->n_inputs == 0)
            srv_v2_input_read(json, r->model, r->limits, &r->input, r->inputs);
        else
            srv_json_fail(json, "a second input, the model has one, \"%.100s\"", r->model->input);
    return !json->failed;
}

static bool read_output_name(struct srv_json *json, const struct reading *r,
                             struct srv_v2_wanted *wanted)
{
    const struct srv_v2_model *model = r->model;
    struct srv_json_text name;
    if (!srv_json_string(json, &name)) return false;
    wanted->output = 0;
    while (wanted->output < model->n_outputs &&
           !srv_json_text_is(&name, model->outputs[wanted->output].name))
        wanted->output++;
    if (wanted->output == model->n_outputs)
        return srv_json_fail(json, "the model has no output \"%.*s\", wanted \"%.80s\"%s%.80s%s",
                             name.n_bytes < 60 ? (int)name.n_bytes : 60, name.bytes,
                             model->outputs[0].name, model->n_outputs > 1 ? " or \"" : "",
                             model->n_outputs > 1 ? model->outputs[1].name : "",
                             model->n_outputs > 1 ? "\"" : "");
    for (size_t i = 0; i < r->out->n_wanted; i++)
        if (r->out->wanted[i].output == wanted->output)
            return srv_json_fail(json, "\"%.100s\" is asked for twice, wanted once",
                                 model->outputs[wanted->output].name);
    return true;
}

static bool read_output_parameters(struct srv_json *json, const struct srv_v2_model *model,
                                   struct srv_v2_wanted *wanted, bool *says_binary)
{
    static const char *const names[] = {"binary_data", "classification", "shared_memory_region"};
    unsigned seen = 0;
    int64_t n_top = 0;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        switch (srv_v2_member(json, names, 3, &seen)) {
        case 0:
            *says_binary = srv_json_bool(json, &wanted->is_binary);
            break;
        case 1:
            srv_json_integer(json, 0, INT32_MAX, &n_top);
            break;
        case 2:
            srv_json_fail(json, "shared memory is not filled, wanted an answer in the reply");
            break;
        default:
            srv_json_skip(json);
        }
    }
    wanted->n_top = (size_t)n_top < model->n_classes ? (size_t)n_top : model->n_classes;
    return !json->failed;
}

static bool read_output(struct srv_json *json, struct reading *r)
{
    static const char *const names[] = {"name", "parameters"};
    struct srv_v2_wanted wanted = {.output = SIZE_MAX};
    bool says_binary = false;
    unsigned seen = 0;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        int member = srv_v2_member(json, names, 2, &seen);
        if (member == 0)
            read_output_name(json, r, &wanted);
        else if (member == 1)
            read_output_parameters(json, r->model, &wanted, &says_binary);
        else
            srv_json_skip(json);
    }
    if (json->failed) return false;
    if (wanted.output == SIZE_MAX) return srv_json_fail(json, "the output has no name, wanted one");
    r->says_binary[r->out->n_wanted] = says_binary;
    r->out->wanted[r->out->n_wanted++] = wanted; /* there is room: none comes twice */
    return true;
}

static bool read_outputs(struct srv_json *json, struct reading *r)
{
    if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
    while (srv_json_next(json))
        read_output(json, r);
    return !json->failed;
}

static bool read_object(struct srv_json *json, struct reading *r)
{
    static const char *const names[] = {"id", "parameters", "inputs", "outputs"};
    unsigned seen = 0;
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json)) {
        switch (srv_v2_member(json, names, 4, &seen)) {
        case 0:
            r->out->has_id = srv_json_string(json, &r->out->id);
            break;
        case 1:
            read_parameters(json, r);
            break;
        case 2:
            read_inputs(json, r);
            break;
        case 3:
            read_outputs(json, r);
            break;
        default:
            srv_json_skip(json);
        }
    }
    if (!json->failed && r->n_inputs == 0)
        srv_json_fail(json, "there are no inputs, wanted one, \"%.100s\"", r->model->input);
    return srv_json_end(json);
}

/* --- the body --- */

/* Where the JSON ends. */
static enum eng_status find_end(const char *header_length, size_t n_body, size_t *n_json,
                                struct eng_error *err)
{
    *n_json = n_body;
    if (!header_length) return ENG_OK;
    size_t n = strspn(header_length, "0123456789");
    *n_json = strtoull(header_length, NULL, 10);
    if (n > 0 && n <= 18 && header_length[n] == '\0' && *n_json <= n_body) return ENG_OK;
    return srv_fail(err, ENG_FORMAT,
                    "Inference-Header-Content-Length is \"%.40s\", wanted 0 to %zu, the bytes of "
                    "the body",
                    header_length, n_body);
}

static void want_all(const struct srv_v2_model *model, bool is_binary, struct srv_v2_request *out)
{
    for (size_t i = 0; i < model->n_outputs; i++)
        out->wanted[out->n_wanted++] = (struct srv_v2_wanted){.output = i, .is_binary = is_binary};
}

static enum eng_status read_json(const char *text, size_t n_json, const uint8_t *tail,
                                 size_t n_tail, struct reading *r, struct eng_error *err)
{
    struct srv_json json;
    srv_json_init(&json, text, n_json, err);
    if (!read_object(&json, r)) return err->status;
    for (size_t i = 0; i < r->out->n_wanted; i++)
        if (!r->says_binary[i]) r->out->wanted[i].is_binary = r->all_binary;
    if (r->out->n_wanted == 0) want_all(r->model, r->all_binary, r->out);
    return srv_v2_input_finish(&r->input, r->model, r->limits, tail, n_tail, r->inputs, err);
}

/* A copy with a zero behind it, which the reader wants and where the binary data begin. */
static enum eng_status copy_json(const uint8_t *body, size_t n_json, struct srv_pictures *owner,
                                 const char **out, struct eng_error *err)
{
    char *copy = malloc(n_json + 1);
    if (!copy) return srv_fail_memory(err, "the JSON of a request");
    memcpy(copy, body, n_json);
    copy[n_json] = '\0';
    *out = copy;
    return srv_pictures_own_take(owner, copy, err);
}

static enum eng_status read_body(const uint8_t *body, size_t n_body, const char *header_length,
                                 struct reading *r, struct eng_error *err)
{
    size_t n_json;
    enum eng_status status = find_end(header_length, n_body, &n_json, err);
    if (status != ENG_OK) return status;
    if (header_length && n_json == 0) {
        want_all(r->model, true, r->out);
        return srv_v2_input_raw(body, n_body, r->model, r->limits, r->inputs, err);
    }
    const char *text = (const char *)body;
    if (n_json < n_body) status = copy_json(body, n_json, r->inputs, &text, err);
    if (status != ENG_OK) return status;
    return read_json(text, n_json, body + n_json, n_body - n_json, r, err);
}

enum srv_code srv_v2_read(const uint8_t *body, size_t n_body, const char *header_length,
                          const struct srv_v2_model *model,
                          const struct srv_pictures_limits *limits, struct srv_v2_request *out,
                          struct srv_pictures *inputs, struct eng_error *err)
{
    struct eng_error local = {0};
    struct srv_v2_request request = {0};
    struct srv_pictures pictures = {.is_list = true};
    struct reading r = {.model = model, .limits = limits, .out = &request, .inputs = &pictures};
    if (!err) err = &local;
    if (read_body(body, n_body, header_length, &r, err) != ENG_OK) {
        srv_pictures_fini(&pictures);
        return srv_pictures_code(err);
    }
    *out = request;
    *inputs = pictures;
    return SRV_OK;
}
