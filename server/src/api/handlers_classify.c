/* POST /classify[/{model}[/{version}]]: pictures in, probabilities out. */
#include "api/handlers.h"
#include "api/inference.h"
#include "api/predictions.h"
#include "api/ranking.h"

#include <stdlib.h>
#include <string.h>

/* A request between its handler and its reply. */
struct classification {
    struct srv_inference inference; /* first */
    size_t n_top;
    struct srv_png seen; /* ?show=input: the answer */
};

/* ?show=input. False: the reply is an error. */
static bool read_show(struct srv_request *request, struct classification *c)
{
    const char *text = request->query(request, "show");
    if (!text) return true;
    if (strcmp(text, "input") != 0) {
        srv_reply_error(request, SRV_INVALID_REQUEST, "show is \"%.40s\"; wanted input", text);
        return false;
    }
    c->inference.job.seen = &c->seen;
    return true;
}

static void fini(struct srv_inference *inference)
{
    free(((struct classification *)inference)->seen.bytes);
}

static void write_reply(struct srv_request *request, const struct srv_inference *inference)
{
    const struct classification *c = (const struct classification *)inference;
    const struct srv_job *job = &inference->job;
    if (job->seen) {
        request->reply.content_type = "image/png";
        srv_text_append(&request->reply.body, (const char *)c->seen.bytes, c->seen.n_bytes);
        return;
    }
    struct srv_answer answer = {
        .model = srv_served_name(job->served),
        .version = srv_served_version(job->served),
        .digest = eng_model_digest(srv_served_model(job->served)),
        .card = srv_inference_card(inference),
        .probabilities = job->probabilities,
        .n_pictures = job->n_samples,
        .is_list = inference->inputs.is_list,
        .n_top = c->n_top,
    };
    srv_predictions_write(&answer, &request->reply.body);
}

static bool read_body(struct srv_request *request, struct classification *c)
{
    struct srv_inference *inference = &c->inference;
    if (!srv_request_read_pictures(request, srv_inference_card(inference), &inference->inputs))
        return false;
    size_t n = inference->inputs.n_samples;
    if (!inference->job.seen || n == 1) return true;
    srv_reply_error(request, SRV_INVALID_REQUEST,
                    "show=input answers one picture, the request has %zu", n);
    return false;
}

enum srv_handled h_classify(struct srv_request *request)
{
    struct classification *c = srv_inference_create(request, sizeof *c);
    if (!c) return SRV_DONE;
    c->inference.write = write_reply;
    c->inference.fini = fini;
    const struct eng_card *card = srv_inference_card(&c->inference);
    if (srv_request_read_top(request, card->n_classes, card->top, &c->n_top) &&
        read_show(request, c) && read_body(request, c))
        return srv_inference_run_take(request, &c->inference);
    srv_inference_destroy(request->app, &c->inference);
    return SRV_DONE;
}
