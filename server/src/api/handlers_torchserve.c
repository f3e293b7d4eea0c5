/* TorchServe's inference on the public listener, the reading part of its management on the admin
 * listener. Its list of models is GET /models (handlers_models.c). */
#include "api/app.h"
#include "api/handlers.h"
#include "api/inference.h"
#include "api/ranking.h"
#include "api/torchserve_reply.h"

#include <string.h>

enum { DEFAULT_TOP = 5 }; /* as TorchServe's image_classifier */

/* --- inference --- */

/* A request between its handler and its reply. */
struct predictions {
    struct srv_inference inference; /* first */
    size_t n_top;
};

static void write_predictions(struct srv_request *request, const struct srv_inference *inference)
{
    const struct srv_job *job = &inference->job;
    srv_request_add_model_headers(request, job->served);
    srv_torchserve_write_predictions(job->probabilities, job->n_samples, inference->inputs.is_list,
                                     srv_inference_card(inference),
                                     ((const struct predictions *)inference)->n_top,
                                     &request->reply.body);
}

enum srv_handled h_predictions(struct srv_request *request)
{
    struct predictions *p = srv_inference_create(request, sizeof *p);
    if (!p) return SRV_DONE;
    const struct eng_card *card = srv_inference_card(&p->inference);
    p->inference.write = write_predictions;
    if (srv_request_read_top(request, card->n_classes, DEFAULT_TOP, &p->n_top) &&
        srv_request_read_pictures(request, card, &p->inference.inputs))
        return srv_inference_run_take(request, &p->inference);
    srv_inference_destroy(request->app, &p->inference);
    return SRV_DONE;
}

enum srv_handled h_ping(struct srv_request *request)
{
    enum srv_handled handled = h_readyz(request);
    if (request->reply.code != SRV_OK) return handled;
    srv_text_clear(&request->reply.body);
    srv_text_puts(&request->reply.body, "{\"status\":\"Healthy\"}\n");
    return handled;
}

/* --- management --- */

/* The version that the request names, or that its label points to; 0: there is none. */
static uint64_t number_meant(const struct srv_request *request, const struct srv_snapshot *snapshot)
{
    const char *name = request->captures[1];
    for (size_t i = 0; i < snapshot->n_labels && name; i++)
        if (strcmp(snapshot->labels[i].model, request->captures[0]) == 0 &&
            strcmp(snapshot->labels[i].label, name) == 0)
            return snapshot->labels[i].version;
    return name ? srv_version_number(name) : 0;
}

/* The row that the request means: all versions, one, or what answers if it names none. */
static bool is_meant(const struct srv_request *request, uint64_t number,
                     const struct srv_version_info *info)
{
    const char *version = request->captures[1];
    if (strcmp(info->model, request->captures[0]) != 0) return false;
    if (!version) return info->is_default;
    return strcmp(version, "all") == 0 || srv_version_number(info->version) == number;
}

static void describe(struct srv_request *request, const struct srv_version_info *info)
{
    struct srv_registry *registry = request->app->registry;
    const struct srv_config *config = request->app->config;
    struct srv_torchserve_limits limits = {
        .batching = {.max_queue = (size_t)config->max_queue, .max_delay_us = config->max_delay_us},
        .response_timeout_ms = config->request_timeout_ms};
    struct srv_served *served = NULL;
    if (info->state == SRV_READY)
        srv_registry_acquire(registry, info->model, info->version, &served, NULL);
    if (served) limits.batching = srv_served_batching(served);
    srv_torchserve_write_description(info, served, &limits, &request->reply.body);
    if (served) srv_registry_release(registry, served);
}

/* What the request means is in no state to be described, or there is no such thing. */
static void refuse(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return;
    srv_registry_release(request->app->registry, served);
    srv_reply_error(request, SRV_MODEL_NOT_FOUND, "model '%s' has no version '%.32s'",
                    request->captures[0], request->captures[1] ? request->captures[1] : "");
}

enum srv_handled h_describe_model(struct srv_request *request)
{
    struct srv_snapshot snapshot;
    struct srv_text *out = &request->reply.body;
    size_t n_described = 0;
    if (!srv_request_snapshot(request, &snapshot)) return SRV_DONE;
    uint64_t number = number_meant(request, &snapshot);
    for (size_t i = 0; i < snapshot.n_versions; i++) {
        if (!is_meant(request, number, &snapshot.versions[i]) ||
            srv_snapshot_is_repeated(&snapshot, i))
            continue;
        srv_text_puts(out, n_described++ ? "," : "[");
        describe(request, &snapshot.versions[i]);
    }
    srv_text_puts(out, "]\n");
    if (n_described == 0) refuse(request);
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}
