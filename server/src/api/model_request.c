#include "api/model_request.h"

#include "api/app.h"
#include "api/routes.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEADLINE_MS = 3600000 }; /* as request_timeout_ms, which is the least of all anyway */

void srv_request_fail(struct srv_request *request, enum srv_code code,
                      const struct eng_error *error)
{
    srv_reply_error(request, code, "%s", error->text[0] ? error->text : srv_code_text(code));
}

static bool may_be_json(const struct srv_request *request)
{
    if (request->n_body == 0) return false;
    const char *text = (const char *)request->body; /* it ends with a zero */
    text += strspn(text, " \t\r\n");
    return *text == '{' || *text == '[';
}

/* The bounds of what json_numbers.c and pictures.c make of a body, while a list grows: old and new
 * together are three times its numbers. A number takes two bytes of JSON at least. */
bool srv_request_reserve_inputs(struct srv_request *request)
{
    const struct srv_config *config = request->app->config;
    if (!request->reserve || request->is_multipart || !may_be_json(request)) return true;
    size_t n_values = request->n_body / 2, n_pictures = request->n_body / 3;
    if (n_values > (size_t)config->max_json_values) n_values = (size_t)config->max_json_values;
    if (n_pictures > (size_t)config->max_pictures) n_pictures = (size_t)config->max_pictures;
    return request->reserve(request, request->n_body + 3 * n_values * sizeof(float) +
                                         3 * n_pictures * sizeof(struct srv_sample));
}

void srv_request_refuse(struct srv_request *request, enum srv_code code, unsigned retry_after_s,
                        const struct eng_error *error)
{
    srv_request_fail(request, code, error);
    if (retry_after_s > request->reply.retry_after_s) request->reply.retry_after_s = retry_after_s;
}

/* A header's whole number of 1 to max; *out stays as it is without the header. */
static bool read_number(struct srv_request *request, const char *name, int64_t max, int64_t *out)
{
    const char *text = request->header(request, name);
    if (!text) return true;
    int64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && value <= max; p++)
        value = value * 10 + (*p - '0');
    if (*p == '\0' && value >= 1 && value <= max) {
        *out = value;
        return true;
    }
    srv_reply_error(request, SRV_INVALID_REQUEST, "%s is \"%.40s\"; wanted 1 to %" PRId64, name,
                    text, max);
    return false;
}

bool srv_request_read_limits(struct srv_request *request, unsigned *priority)
{
    int64_t deadline_ms = 0, level = 0;
    if (!read_number(request, "X-Request-Deadline-Ms", MAX_DEADLINE_MS, &deadline_ms) ||
        !read_number(request, "X-Request-Priority", SRV_MAX_PRIORITY, &level))
        return false;
    if (deadline_ms > 0) srv_request_limit_time(request, deadline_ms * 1000);
    *priority = (unsigned)level;
    return true;
}

/* As much as fits. */
static void copy(char *to, size_t capacity, const char *from)
{
    size_t n = strnlen(from, capacity - 1);
    memcpy(to, from, n);
    to[n] = '\0';
}

/* A route that has {label} in the version's place takes labels only. */
static enum srv_code acquire(const struct srv_request *request, struct srv_served **out,
                             struct eng_error *err)
{
    struct srv_registry *registry = request->app->registry;
    const char *model = request->captures[0], *version = request->captures[1];
    if (version && strstr(request->route->pattern, "{label}"))
        return srv_registry_acquire_label(registry, model, version, out, err);
    return srv_registry_acquire(registry, model, version, out, err);
}

bool srv_request_acquire(struct srv_request *request, struct srv_served **out)
{
    struct eng_error error = {0};
    struct srv_served *served = NULL;
    enum srv_code code = acquire(request, &served, &error);
    *out = code == SRV_OK ? served : NULL;
    if (code != SRV_OK) {
        srv_request_fail(request, code, &error);
        return false;
    }
    copy(request->seen.model, sizeof request->seen.model, srv_served_name(served));
    copy(request->seen.version, sizeof request->seen.version, srv_served_version(served));
    copy(request->seen.digest, sizeof request->seen.digest,
         eng_model_digest(srv_served_model(served)));
    return true;
}

/* What the callback was told of lives no longer: it has written the reply. */
static void finish_nothing(struct srv_request *request)
{
    (void)request;
}

enum srv_handled srv_request_wait_for_loader(struct srv_request *request, bool is_queued)
{
    request->finish = finish_nothing;
    if (is_queued) return SRV_LATER;
    bool is_ending = atomic_load(&request->app->shutting_down);
    enum srv_code code = is_ending ? SRV_SHUTTING_DOWN : SRV_INTERNAL;
    srv_reply_error(request, code, "%s", is_ending ? srv_code_text(code) : "out of memory");
    return SRV_DONE;
}

bool srv_request_snapshot(struct srv_request *request, struct srv_snapshot *out)
{
    struct eng_error error = {0};
    struct srv_snapshot snapshot = {0};
    enum eng_status status = srv_registry_snapshot(request->app->registry, &snapshot, &error);
    if (status == ENG_OK)
        *out = snapshot;
    else
        srv_reply_error(request, SRV_INTERNAL, "%s", error.text);
    return status == ENG_OK;
}

struct srv_pictures_limits srv_request_limits(const struct srv_request *request)
{
    const struct srv_config *config = request->app->config;
    return (struct srv_pictures_limits){(size_t)config->max_pictures,
                                        (size_t)config->max_json_values};
}

void srv_request_add_model_headers(struct srv_request *request, const struct srv_served *served)
{
    srv_reply_header(request, "X-Model", srv_served_name(served));
    srv_reply_header(request, "X-Model-Version", srv_served_version(served));
    srv_reply_header(request, "X-Model-Digest", eng_model_digest(srv_served_model(served)));
}

bool srv_request_read_pictures(struct srv_request *request, const struct eng_card *card,
                               struct srv_pictures *out)
{
    const struct srv_pictures_limits limits = srv_request_limits(request);
    struct eng_error error = {0};
    enum srv_code code = srv_pictures_read(request, card, &limits, out, &error);
    if (code == SRV_OK)
        request->seen.n_pictures = out->n_samples;
    else
        srv_request_fail(request, code, &error);
    return code == SRV_OK;
}

void srv_request_note_times(struct srv_request *request, const struct srv_job_times *times)
{
    int64_t now_us = srv_clock_us();
    int64_t submitted_us = times->submitted_us > 0 ? times->submitted_us : now_us;
    int64_t started_us = times->started_us > 0 ? times->started_us : now_us;
    request->seen.submitted_us = submitted_us;
    request->seen.answered_us = now_us;
    request->seen.decode_us = times->decode_us;
    request->seen.compute_us = times->compute_us;
    request->seen.queue_us = started_us - submitted_us;
}
