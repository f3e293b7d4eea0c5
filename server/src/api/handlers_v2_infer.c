/* POST /v2/models/{model}[/versions/{version}]/infer: the Open Inference Protocol V2. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/inference.h"
#include "api/v2_reply.h"

#include <inttypes.h>
#include <stdio.h>

/* A request between its handler and its reply. */
struct v2_inference {
    struct srv_inference inference; /* first */
    struct srv_v2_model model;
    struct srv_v2_request request;
};

static const char header_length[] = "Inference-Header-Content-Length";

static void write_reply(struct srv_request *request, const struct srv_inference *inference)
{
    const struct v2_inference *v2 = (const struct v2_inference *)inference;
    const struct srv_job *job = &inference->job;
    const struct srv_v2_answer answer = {
        .model = srv_served_name(job->served),
        .version = srv_served_version(job->served),
        .digest = eng_model_digest(srv_served_model(job->served)),
        .described = &v2->model,
        .request = &v2->request,
        .probabilities = job->probabilities,
        .scores = job->scores,
        .n_pictures = job->n_samples,
    };
    size_t n_json;
    srv_v2_reply_write(&answer, &request->reply.body, &n_json);
    if (n_json == 0) return;
    char text[24];
    snprintf(text, sizeof text, "%zu", n_json);
    srv_reply_header(request, header_length, text);
    request->reply.content_type = "application/octet-stream";
}

static bool wants_scores(const struct v2_inference *v2)
{
    bool any = false;
    for (size_t i = 0; i < v2->request.n_wanted; i++)
        any |= v2->model.outputs[v2->request.wanted[i].output].is_scores;
    return any;
}

static bool read_body(struct srv_request *request, struct v2_inference *v2)
{
    const struct srv_pictures_limits limits = srv_request_limits(request);
    struct eng_error error = {0};
    if (!srv_request_is_no_form(request, "the JSON of an inference request")) return false;
    enum srv_code code =
        srv_v2_read(request->body, request->n_body, request->header(request, header_length),
                    &v2->model, &limits, &v2->request, &v2->inference.inputs, &error);
    if (code != SRV_OK) srv_request_fail(request, code, &error);
    return code == SRV_OK;
}

enum srv_handled h_v2_infer(struct srv_request *request)
{
    struct v2_inference *v2 = srv_inference_create(request, sizeof *v2);
    if (!v2) return SRV_DONE;
    struct srv_inference *inference = &v2->inference;
    srv_v2_model_init(&v2->model, srv_served_model(inference->job.served));
    if (!read_body(request, v2)) {
        srv_inference_destroy(request->app, inference);
        return SRV_DONE;
    }
    if (v2->request.timeout_us > 0) srv_request_limit_time(request, v2->request.timeout_us);
    if (v2->request.priority > 0) inference->job.priority = v2->request.priority;
    inference->wants_scores = wants_scores(v2);
    inference->write = write_reply;
    return srv_inference_run_take(request, inference);
}
