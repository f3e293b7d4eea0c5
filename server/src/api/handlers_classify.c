/* POST /classify[/{model}[/{version}]]: pictures in, probabilities out. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "api/predictions.h"

#include <stdlib.h>
#include <string.h>

/* A request between its handler and its finish. */
struct classification {
    struct srv_job job;
    struct srv_pictures pictures;
    size_t n_top;
    struct srv_png seen; /* ?show=input: the answer */
};

static const struct eng_card *card_of(const struct srv_served *served)
{
    return eng_model_card(srv_served_model(served));
}

/* ?top=k. False: the reply is an error. */
static bool read_top(struct srv_request *request, const struct eng_card *card, size_t *n_top)
{
    const char *text = request->query(request, "top");
    size_t n_classes = card->n_classes;
    *n_top = card->top > 0 && card->top < n_classes ? card->top : n_classes;
    if (!text) return true;
    size_t value = 0;
    for (const char *p = text; *p >= '0' && *p <= '9' && value <= n_classes; p++)
        value = value * 10 + (size_t)(*p - '0');
    if (text[strspn(text, "0123456789")] != '\0' || value < 1 || value > n_classes) {
        srv_reply_error(request, SRV_INVALID_REQUEST, "top is \"%.40s\"; wanted 1 to %zu", text,
                        n_classes);
        return false;
    }
    *n_top = value;
    return true;
}

/* ?show=input. False: the reply is an error. */
static bool read_show(struct srv_request *request, struct classification *c)
{
    const char *text = request->query(request, "show");
    if (!text) return true;
    if (strcmp(text, "input") != 0) {
        srv_reply_error(request, SRV_INVALID_REQUEST, "show is \"%.40s\"; wanted input", text);
        return false;
    }
    c->job.seen = &c->seen;
    return true;
}

static void free_classification(struct srv_app *app, struct classification *c)
{
    if (c->job.served) srv_registry_release(app->registry, c->job.served);
    srv_pictures_fini(&c->pictures);
    free(c->job.probabilities);
    free(c->seen.bytes);
    free(c);
}

static void write_predictions(struct srv_request *request, const struct classification *c)
{
    struct srv_answer answer = {
        .model = srv_served_name(c->job.served),
        .version = srv_served_version(c->job.served),
        .digest = eng_model_digest(srv_served_model(c->job.served)),
        .card = card_of(c->job.served),
        .probabilities = c->job.probabilities,
        .n_pictures = c->job.n_samples,
        .is_list = c->pictures.is_list,
        .n_top = c->n_top,
    };
    srv_predictions_write(&answer, &request->reply.body);
}

static void finish_classify(struct srv_request *request)
{
    struct classification *c = request->handler_state;
    request->handler_state = NULL;
    srv_request_note_times(request, &c->job.times);
    if (c->job.code != SRV_OK) {
        srv_request_fail(request, c->job.code, &c->job.error);
    } else if (c->job.seen) {
        request->reply.content_type = "image/png";
        srv_text_append(&request->reply.body, (const char *)c->seen.bytes, c->seen.n_bytes);
    } else {
        write_predictions(request, c);
    }
    free_classification(request->app, c);
}

static void job_done(struct srv_job *job)
{
    struct srv_request *request = job->ctx;
    request->resume(request);
}

static bool read_body(struct srv_request *request, struct classification *c)
{
    const struct eng_card *card = card_of(c->job.served);
    if (!srv_request_read_pictures(request, card, &c->pictures)) return false;
    size_t n = c->pictures.n_samples;
    if (c->job.seen && n > 1) {
        srv_reply_error(request, SRV_INVALID_REQUEST,
                        "show=input answers one picture, the request has %zu", n);
        return false;
    }
    c->job.probabilities = calloc(n * card->n_classes, sizeof *c->job.probabilities);
    if (!c->job.probabilities) srv_reply_error(request, SRV_INTERNAL, "out of memory");
    return c->job.probabilities != NULL;
}

/* LATER: the job's done will be called. */
static enum srv_handled compute(struct srv_request *request, struct classification *c)
{
    c->job.samples = c->pictures.samples;
    c->job.n_samples = c->pictures.n_samples;
    c->job.deadline_us = request->deadline_us;
    c->job.done = job_done;
    c->job.ctx = request;
    request->handler_state = c;
    request->finish = finish_classify;
    if (!srv_served_try_inline(&c->job) && srv_served_submit(&c->job) == SRV_OK) return SRV_LATER;
    finish_classify(request);
    return SRV_DONE;
}

enum srv_handled h_classify(struct srv_request *request)
{
    struct classification *c = calloc(1, sizeof *c);
    if (!c) {
        srv_reply_error(request, SRV_INTERNAL, "out of memory");
        return SRV_DONE;
    }
    if (srv_request_acquire(request, &c->job.served) &&
        read_top(request, card_of(c->job.served), &c->n_top) && read_show(request, c) &&
        read_body(request, c))
        return compute(request, c);
    free_classification(request->app, c);
    return SRV_DONE;
}
