/* /v1/models: TensorFlow Serving's REST dialect, and KServe's V1 beside it. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/inference.h"
#include "api/routes.h"
#include "api/v1_reply.h"

#include <string.h>

/* A request between its handler and its reply. */
struct v1_inference {
    struct srv_inference inference; /* first */
    bool is_classify, is_column;
    size_t n_top;
};

static void write_reply(struct srv_request *request, const struct srv_inference *inference)
{
    const struct v1_inference *v1 = (const struct v1_inference *)inference;
    const struct srv_job *job = &inference->job;
    const struct eng_card *card = srv_inference_card(inference);
    srv_request_add_model_headers(request, job->served);
    if (v1->is_classify)
        srv_v1_write_classify(job->probabilities, job->n_samples, card, v1->n_top,
                              &request->reply.body);
    else
        srv_v1_write_predict(job->probabilities, job->n_samples, card->n_classes, v1->is_column,
                             &request->reply.body);
}

/* False: the reply is an error. */
static bool read_body(struct srv_request *request, struct v1_inference *v1)
{
    const struct srv_pictures_limits limits = srv_request_limits(request);
    const struct srv_v1_input input = srv_v1_input_of(srv_served_model(v1->inference.job.served));
    const char *body = (const char *)request->body;
    struct srv_pictures *out = &v1->inference.inputs;
    struct eng_error error = {0};
    if (!srv_request_is_no_form(request, "a JSON object")) return false;
    enum srv_code code =
        v1->is_classify ? srv_v1_read_classify(body, request->n_body, &input, &limits, out, &error)
                        : srv_v1_read_predict(body, request->n_body, &input, &limits, out,
                                              &v1->is_column, &error);
    if (code != SRV_OK) srv_request_fail(request, code, &error);
    return code == SRV_OK;
}

static enum srv_handled infer(struct srv_request *request, bool is_classify)
{
    struct v1_inference *v1 = srv_inference_create(request, sizeof *v1);
    if (!v1) return SRV_DONE;
    const struct eng_card *card = srv_inference_card(&v1->inference);
    v1->inference.write = write_reply;
    v1->is_classify = is_classify;
    v1->n_top = card->top > 0 && card->top < card->n_classes ? card->top : card->n_classes;
    if (read_body(request, v1)) return srv_inference_run_take(request, &v1->inference);
    srv_inference_destroy(request->app, &v1->inference);
    return SRV_DONE;
}

enum srv_handled h_v1_predict(struct srv_request *request)
{
    return infer(request, false);
}

enum srv_handled h_v1_classify(struct srv_request *request)
{
    return infer(request, true);
}

/* --- what there is --- */

/* What KServe's V1 client asks to know whether the server lives. */
enum srv_handled h_v1_alive(struct srv_request *request)
{
    srv_text_puts(&request->reply.body, "{\"status\":\"alive\"}\n");
    return SRV_DONE;
}

enum srv_handled h_v1_models(struct srv_request *request)
{
    struct srv_snapshot snapshot;
    if (!srv_request_snapshot(request, &snapshot)) return SRV_DONE;
    srv_v1_write_names(&snapshot, &request->reply.body);
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}

/* Of a version that serves, however the request names it. */
static void write_acquired(struct srv_request *request, const struct srv_snapshot *snapshot)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return;
    if (!srv_v1_write_status(snapshot, srv_served_name(served), srv_served_version(served),
                             &request->reply.body))
        srv_reply_error(request, SRV_NOT_READY, "the version is being replaced");
    srv_registry_release(request->app->registry, served);
}

enum srv_handled h_v1_status(struct srv_request *request)
{
    struct srv_snapshot snapshot;
    if (!srv_request_snapshot(request, &snapshot)) return SRV_DONE;
    bool is_label = strstr(request->route->pattern, "{label}") != NULL;
    if (is_label || !srv_v1_write_status(&snapshot, request->captures[0], request->captures[1],
                                         &request->reply.body))
        write_acquired(request, &snapshot);
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}

enum srv_handled h_v1_metadata(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return SRV_DONE;
    srv_v1_write_metadata(served, &request->reply.body);
    srv_registry_release(request->app->registry, served);
    return SRV_DONE;
}
