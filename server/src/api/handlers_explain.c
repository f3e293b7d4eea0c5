/* POST /explain[/{model}[/{version}]]: a picture in, what in it a class depends on out. */
#include "api/app.h"
#include "api/explanation.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "serve/explainer.h"

#include <stdlib.h>
#include <string.h>

/* A request between its handler and its finish. */
struct explaining {
    struct srv_explain_job job;
    struct srv_pictures pictures;
};

static const struct eng_model *model_of(const struct explaining *e)
{
    return srv_served_model(e->job.served);
}

static void free_explaining(struct srv_app *app, struct explaining *e)
{
    eng_explanation_fini(&e->job.explanation);
    free(e->job.drawing.bytes);
    srv_pictures_fini(&e->pictures);
    if (e->job.served) srv_registry_release(app->registry, e->job.served);
    free(e);
}

/* --- the query; false: the reply is an error --- */

static bool is_on(struct srv_request *request)
{
    bool on = strcmp(request->app->config->explain, "on") == 0;
    if (!on)
        srv_reply_error(request, SRV_NOT_FOUND,
                        "this server does not explain: its setting explain is \"off\"");
    return on;
}

static bool read_class(struct srv_request *request, struct explaining *e)
{
    const char *text = request->query(request, "class");
    if (!text) return true;
    struct eng_error error = {0};
    size_t index;
    if (eng_card_find_class(eng_model_card(model_of(e)), text, &index, &error) != ENG_OK) {
        srv_request_fail(request, SRV_INVALID_REQUEST, &error);
        return false;
    }
    e->job.request.class_index = (int64_t)index;
    return true;
}

static bool read_method(struct srv_request *request, struct explaining *e)
{
    const char *text = request->query(request, "method");
    struct eng_error error = {0};
    if (!text || eng_explain_method_find(text, &e->job.request.method, &error) == ENG_OK)
        return true;
    srv_request_fail(request, SRV_INVALID_REQUEST, &error);
    return false;
}

/* The method's parameters, by their own names. */
static bool read_parameters(struct srv_request *request, struct explaining *e)
{
    struct eng_error error = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < eng_explain_n_parameters(); i++) {
        const char *name = eng_explain_parameter(i).name, *text = request->query(request, name);
        if (text) status = eng_explain_set(&e->job.request, name, text, &error);
    }
    if (status != ENG_OK) srv_request_fail(request, SRV_INVALID_REQUEST, &error);
    return status == ENG_OK;
}

/* Whether the header names JSON, and before pictures. */
static bool prefers_json(const char *accept)
{
    const char *json = accept ? strstr(accept, "application/json") : NULL;
    const char *picture = accept ? strstr(accept, "image/") : NULL;
    return json && (!picture || json < picture);
}

/* ?format=png|json wins over the header Accept. */
static bool read_format(struct srv_request *request, struct explaining *e)
{
    const char *format = request->query(request, "format");
    if (format && strcmp(format, "png") != 0 && strcmp(format, "json") != 0) {
        srv_reply_error(request, SRV_INVALID_REQUEST, "format is \"%.40s\"; wanted png or json",
                        format);
        return false;
    }
    e->job.wants_drawing =
        format ? strcmp(format, "png") == 0 : !prefers_json(request->header(request, "Accept"));
    return true;
}

static bool read_body(struct srv_request *request, struct explaining *e)
{
    if (!srv_request_read_pictures(request, eng_model_card(model_of(e)), &e->pictures))
        return false;
    if (e->pictures.n_samples == 1) return true;
    srv_reply_error(request, SRV_INVALID_REQUEST,
                    "an explanation is of one picture, the request has %zu", e->pictures.n_samples);
    return false;
}

/* --- the answer --- */

static void write_answer(struct srv_request *request, const struct srv_explain_job *job)
{
    const struct eng_model *model = srv_served_model(job->served);
    const struct srv_explanation_answer answer = {
        .model = srv_served_name(job->served),
        .version = srv_served_version(job->served),
        .digest = eng_model_digest(model),
        .card = eng_model_card(model),
        .explanation = &job->explanation,
    };
    srv_explanation_add_headers(&answer, request);
    if (!job->wants_drawing) {
        srv_explanation_write(&answer, &request->reply.body);
        return;
    }
    request->reply.content_type = "image/png";
    srv_text_append(&request->reply.body, (const char *)job->drawing.bytes, job->drawing.n_bytes);
}

static void finish_explain(struct srv_request *request)
{
    struct explaining *e = request->handler_state;
    request->handler_state = NULL;
    srv_request_note_times(request, &e->job.times);
    if (e->job.code == SRV_OK)
        write_answer(request, &e->job);
    else
        srv_request_refuse(request, e->job.code, e->job.retry_after_s, &e->job.error);
    free_explaining(request->app, e);
}

static void job_done(struct srv_explain_job *job)
{
    struct srv_request *request = job->ctx;
    request->resume(request);
}

/* LATER: the job's done will be called. */
static enum srv_handled compute(struct srv_request *request, struct explaining *e)
{
    e->job.sample = e->pictures.samples;
    e->job.deadline_us = request->deadline_us;
    e->job.done = job_done;
    e->job.ctx = request;
    request->handler_state = e;
    request->finish = finish_explain;
    if (srv_explainer_submit(request->app->explainer, &e->job) == SRV_OK) return SRV_LATER;
    finish_explain(request);
    return SRV_DONE;
}

enum srv_handled h_explain(struct srv_request *request)
{
    if (!is_on(request)) return SRV_DONE;
    struct explaining *e = calloc(1, sizeof *e);
    if (!e) {
        srv_reply_error(request, SRV_INTERNAL, "out of memory");
        return SRV_DONE;
    }
    e->job.request = eng_explain_defaults();
    unsigned priority; /* explanations give way to all else, and have none among themselves */
    if (srv_request_read_limits(request, &priority) && srv_request_reserve_inputs(request) &&
        srv_request_acquire(request, &e->job.served) && read_class(request, e) &&
        read_method(request, e) && read_parameters(request, e) && read_format(request, e) &&
        read_body(request, e))
        return compute(request, e);
    free_explaining(request->app, e);
    return SRV_DONE;
}
