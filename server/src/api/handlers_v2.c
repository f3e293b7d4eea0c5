/* The Open Inference Protocol V2, but for inference and statistics. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "api/routes.h"
#include "api/v2_model.h"
#include "serve/served.h"

#include <inttypes.h>
#include <string.h>

enum srv_handled h_v2_live(struct srv_request *request)
{
    srv_text_puts(&request->reply.body, "{\"live\":true}\n");
    return SRV_DONE;
}

enum srv_handled h_v2_ready(struct srv_request *request)
{
    h_readyz(request);
    if (request->reply.code != SRV_OK) return SRV_DONE;
    srv_text_clear(&request->reply.body);
    srv_text_puts(&request->reply.body, "{\"ready\":true}\n");
    return SRV_DONE;
}

enum srv_handled h_v2_server(struct srv_request *request)
{
    srv_text_puts(&request->reply.body,
                  "{\"name\":\"classifyd\",\"version\":\"" CLASSIFYD_VERSION "\",\"extensions\":[");
    srv_text_puts(&request->reply.body,
                  request->route->listener == SRV_ADMIN
                      ? "\"model_repository\",\"model_repository(unload_dependents)\","
                      : "\"classification\",\"binary_tensor_data\",\"parameters\","
                        "\"schedule_policy\",");
    srv_text_puts(&request->reply.body, "\"model_configuration\",\"statistics\"]}\n");
    return SRV_DONE;
}

enum srv_handled h_v2_model_ready(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return SRV_DONE;
    srv_text_puts(&request->reply.body, "{\"name\":");
    srv_text_json(&request->reply.body, srv_served_name(served));
    srv_text_puts(&request->reply.body, ",\"ready\":true}\n");
    srv_registry_release(request->app->registry, served);
    return SRV_DONE;
}

/* --- metadata --- */

/* The one version that the path names, or all that serve. */
static bool write_versions(struct srv_request *request, const struct srv_served *served)
{
    struct srv_text *out = &request->reply.body;
    struct srv_snapshot snapshot;
    if (request->captures[1]) {
        srv_text_puts(out, "[");
        srv_text_json(out, srv_served_version(served));
        srv_text_puts(out, "]");
        return true;
    }
    if (!srv_request_snapshot(request, &snapshot)) return false;
    const char *separator = "[";
    for (size_t i = 0; i < snapshot.n_versions; i++) {
        const struct srv_version_info *v = &snapshot.versions[i];
        if (v->state != SRV_READY || strcmp(v->model, srv_served_name(served)) != 0) continue;
        srv_text_puts(out, separator);
        srv_text_json(out, v->version);
        separator = ",";
    }
    srv_text_puts(out, *separator == '[' ? "[]" : "]");
    srv_snapshot_fini(&snapshot);
    return true;
}

static void write_dims(struct srv_text *out, const struct eng_shape *shape, int first)
{
    srv_text_puts(out, "[");
    for (int i = first; i < shape->rank; i++) {
        if (i > first) srv_text_puts(out, ",");
        srv_text_integer(out, shape->dim[i]);
    }
    srv_text_puts(out, "]");
}

/* How metadata and configuration call the same things. */
struct tensor_form {
    const char *inputs, *outputs, *type, *dims;
    int first_dim;    /* the configuration leaves out the batch */
    bool says_layout; /* it alone says what the input's dimensions are */
};

static void write_tensor(struct srv_text *out, const struct tensor_form *form, const char *name,
                         enum eng_dtype dtype, const char *layout, const struct eng_shape *shape)
{
    srv_text_puts(out, "{\"name\":");
    srv_text_json(out, name);
    srv_text_printf(out, "%s%s\"", form->type, srv_v2_type_name(dtype));
    if (layout && form->says_layout) srv_text_printf(out, ",\"format\":\"FORMAT_%s\"", layout);
    srv_text_puts(out, form->dims);
    write_dims(out, shape, form->first_dim);
    srv_text_puts(out, "}");
}

static void write_tensors(struct srv_text *out, const struct tensor_form *form,
                          const struct srv_served *served)
{
    struct srv_v2_model model;
    srv_v2_model_init(&model, srv_served_model(served));
    const struct eng_shape shape = {.rank = 2, .dim = {-1, (int64_t)model.n_classes}};
    srv_text_puts(out, form->inputs);
    write_tensor(out, form, model.input, model.dtype, model.layout, &model.shape);
    srv_text_puts(out, form->outputs);
    for (size_t i = 0; i < model.n_outputs; i++) {
        if (i > 0) srv_text_puts(out, ",");
        write_tensor(out, form, model.outputs[i].name, ENG_FLOAT32, NULL, &shape);
    }
    srv_text_puts(out, "]");
}

static void write_metadata(struct srv_request *request, const struct srv_served *served)
{
    static const struct tensor_form form = {
        ",\"inputs\":[", "],\"outputs\":[", ",\"datatype\":\"", ",\"shape\":", 0, false};
    struct srv_text *out = &request->reply.body;
    srv_text_puts(out, "{\"name\":");
    srv_text_json(out, srv_served_name(served));
    srv_text_puts(out, ",\"versions\":");
    if (!write_versions(request, served)) return;
    srv_text_puts(out, ",\"platform\":\"onnx_onnxv1\"");
    write_tensors(out, &form, served);
    srv_text_printf(out, ",\"properties\":{\"version\":\"%s\",\"digest\":\"%s\"}}\n",
                    srv_served_version(served), eng_model_digest(srv_served_model(served)));
}

enum srv_handled h_v2_model(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return SRV_DONE;
    write_metadata(request, served);
    srv_registry_release(request->app->registry, served);
    return SRV_DONE;
}

/* --- config --- */

/* What of Triton's ModelDynamicBatching holds here. Its queue counts requests, ours pictures. */
static void write_batching(struct srv_text *out, const struct srv_served *served,
                           const struct srv_config *config)
{
    const struct srv_served_batching batching = srv_served_batching(served);
    srv_text_printf(out,
                    ",\"dynamic_batching\":{\"max_queue_delay_microseconds\":%" PRId64
                    ",\"preserve_ordering\":false,\"priority_levels\":%d,"
                    "\"default_priority_level\":%u,\"default_queue_policy\":{"
                    "\"timeout_action\":\"REJECT\",\"default_timeout_microseconds\":%" PRId64
                    ",\"allow_timeout_override\":true,\"max_queue_size\":%zu}}",
                    batching.max_delay_us, SRV_MAX_PRIORITY, batching.default_priority,
                    config->request_timeout_ms * 1000, batching.max_queue);
}

/* The fields of Triton's ModelConfig that say something here. */
static void write_config(struct srv_text *out, const struct srv_served *served,
                         const struct srv_config *config)
{
    static const struct tensor_form form = {
        ",\"input\":[", "],\"output\":[", ",\"data_type\":\"TYPE_", ",\"dims\":", 1, true};
    srv_text_puts(out, "{\"name\":");
    srv_text_json(out, srv_served_name(served));
    srv_text_printf(out,
                    ",\"platform\":\"onnx_onnxv1\",\"backend\":\"classifyd\",\"max_batch_size\":%d",
                    eng_model_max_batch(srv_served_model(served)));
    write_tensors(out, &form, served);
    write_batching(out, served, config);
    srv_text_puts(out, "}\n");
}

enum srv_handled h_v2_config(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return SRV_DONE;
    write_config(&request->reply.body, served, request->app->config);
    srv_registry_release(request->app->registry, served);
    return SRV_DONE;
}
