#include "http/exchange.h"

#include "base/fail.h"
#include "base/log_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is counted for a client that went away before its answer, as nginx does. */
enum { CLIENT_CLOSED_REQUEST = 499 };
/* The row behind the last code: CLIENT_CLOSED_REQUEST. */
enum { N_OUTCOMES = SRV_N_CODES + 1, CLIENT_CLOSED = SRV_N_CODES };

enum eng_status srv_record_init(struct srv_http *http, struct eng_error *err)
{
    size_t n_rows = srv_route_count() + 1;
    http->requests = calloc(n_rows * N_OUTCOMES, sizeof *http->requests);
    http->seconds = calloc(n_rows, sizeof *http->seconds);
    if (!http->requests || !http->seconds) return srv_fail_memory(err, "the metrics of a listener");
    const char *const labels[] = {srv_listener_name(http->listener)};
    http->in_flight = srv_metrics_series(http->app->metrics, SRV_M_IN_FLIGHT, labels);
    return ENG_OK;
}

void srv_record_fini(struct srv_http *http)
{
    free(http->requests);
    free(http->seconds);
}

/* Which row of the tables: one per route, the last for paths that have none. */
static size_t row_of(const struct srv_route *route)
{
    return route ? (size_t)(route - srv_route_at(0)) : srv_route_count();
}

static void count(struct srv_http *http, const struct srv_route *route, size_t outcome,
                  unsigned status, int64_t total_us)
{
    const char *listener = srv_listener_name(http->listener);
    const char *label = route ? route->label : "none";
    _Atomic(struct srv_series *) *requests = &http->requests[row_of(route) * N_OUTCOMES + outcome];
    _Atomic(struct srv_series *) *seconds = &http->seconds[row_of(route)];
    struct srv_series *series = atomic_load(requests);
    if (!series) {
        char code[16];
        snprintf(code, sizeof code, "%u", status);
        const char *const labels[] = {listener, label, code};
        series = srv_metrics_series(http->app->metrics, SRV_M_REQUESTS, labels);
        atomic_store(requests, series);
    }
    srv_series_add(series, 1);
    series = atomic_load(seconds);
    if (!series) {
        const char *const labels[] = {listener, label};
        series = srv_metrics_series(http->app->metrics, SRV_M_REQUEST_SECONDS, labels);
        atomic_store(seconds, series);
    }
    srv_series_observe(series, (double)total_us * 1e-6);
}

/* Of requests to a model. A failure's series is looked for: failures may take a lock. */
static void count_inference(const struct srv_exchange *exchange, unsigned status, int64_t total_us)
{
    const struct srv_request *request = &exchange->request;
    if (!request->seen.is_inference) return;
    if (status < 400) {
        srv_series_observe(request->seen.series.inference_seconds, (double)total_us * 1e-6);
        srv_series_observe(request->seen.series.encode_seconds,
                           (double)(request->seen.replied_us - request->seen.answered_us) * 1e-6);
        return;
    }
    char code[16];
    snprintf(code, sizeof code, "%u", status);
    const char *const labels[] = {request->seen.model, request->seen.version, code};
    srv_series_add(
        srv_metrics_series(exchange->http->app->metrics, SRV_M_INFERENCE_FAILURES, labels), 1);
}

static unsigned status_of(size_t outcome)
{
    return outcome == CLIENT_CLOSED ? CLIENT_CLOSED_REQUEST : srv_code_http((enum srv_code)outcome);
}

/* Fields that say nothing are left out. */
static inline void add_text(struct srv_log_line *line, const char *key, const char *text)
{
    if (text[0] != '\0') srv_log_line_text(line, key, text);
}

static inline void add_word(struct srv_log_line *line, const char *key, const char *word)
{
    if (word[0] != '\0') srv_log_line_word(line, key, word);
}

static void add_request(struct srv_log_line *line, const struct srv_exchange *exchange,
                        size_t outcome, bool was_sent)
{
    const struct srv_request *request = &exchange->request;
    add_word(line, SRV_LOG_KEY("id"), request->id);
    add_word(line, SRV_LOG_KEY("trace_id"), exchange->trace.trace_id);
    add_word(line, SRV_LOG_KEY("span_id"), exchange->trace.span_id);
    add_word(line, SRV_LOG_KEY("parent_id"), exchange->trace.parent_id);
    add_text(line, SRV_LOG_KEY("client"), exchange->peer ? exchange->peer->address : "?");
    add_text(line, SRV_LOG_KEY("key"), request->client_key);
    add_word(line, SRV_LOG_KEY("listener"), srv_listener_name(exchange->http->listener));
    add_text(line, SRV_LOG_KEY("method"), request->method ? request->method : "?");
    add_text(line, SRV_LOG_KEY("path"), exchange->path);
    add_word(line, SRV_LOG_KEY("route"), request->route ? request->route->label : "none");
    srv_log_line_number(line, SRV_LOG_KEY("code"), status_of(outcome));
    if (outcome != SRV_OK)
        add_word(line, SRV_LOG_KEY("error"),
                 outcome == CLIENT_CLOSED ? "client_closed"
                                          : srv_code_wire((enum srv_code)outcome));
    srv_log_line_number(line, SRV_LOG_KEY("bytes_in"), (int64_t)exchange->n_received);
    srv_log_line_number(line, SRV_LOG_KEY("bytes_out"),
                        was_sent ? (int64_t)request->reply.body.n_bytes : 0);
}

/* Says which of its parts took how long. A phase that was not reached has no field. */
static void add_phases(struct srv_log_line *line, const struct srv_request *request, int64_t now_us)
{
    int64_t begun_us = request->seen.begun_us, replied_us = request->seen.replied_us;
    if (begun_us > 0)
        srv_log_line_number(line, SRV_LOG_KEY("read_us"), begun_us - request->received_us);
    if (request->seen.answered_us > 0) {
        srv_log_line_number(line, SRV_LOG_KEY("parse_us"), request->seen.submitted_us - begun_us);
        srv_log_line_number(line, SRV_LOG_KEY("decode_us"), request->seen.decode_us);
        srv_log_line_number(line, SRV_LOG_KEY("queue_us"), request->seen.queue_us);
        srv_log_line_number(line, SRV_LOG_KEY("compute_us"), request->seen.compute_us);
        if (replied_us > 0)
            srv_log_line_number(line, SRV_LOG_KEY("encode_us"),
                                replied_us - request->seen.answered_us);
    }
    if (replied_us > 0) srv_log_line_number(line, SRV_LOG_KEY("send_us"), now_us - replied_us);
    srv_log_line_number(line, SRV_LOG_KEY("total_us"), now_us - request->received_us);
}

static void write_access_log(const struct srv_exchange *exchange, size_t outcome, bool was_sent,
                             int64_t now_us)
{
    const struct srv_app *app = exchange->http->app;
    const struct srv_request *request = &exchange->request;
    struct srv_log_line line;
    srv_log_begin(app->log, &line, SRV_LOG_INFO, "request");
    add_request(&line, exchange, outcome, was_sent);
    if (request->seen.model[0]) {
        add_text(&line, SRV_LOG_KEY("model"), request->seen.model);
        add_word(&line, SRV_LOG_KEY("version"), request->seen.version);
        add_word(&line, SRV_LOG_KEY("digest"), request->seen.digest);
        srv_log_line_number(&line, SRV_LOG_KEY("pictures"), (int64_t)request->seen.n_pictures);
    }
    add_phases(&line, request, now_us);
    int64_t sample = app->config->access_log_sample;
    if (outcome == SRV_OK && sample > 1) srv_log_line_number(&line, SRV_LOG_KEY("sample"), sample);
    srv_log_end(app->log, &line);
}

/* Failures always, of successes one of access_log_sample, the first among them. */
static bool is_logged(struct srv_http *http, size_t outcome)
{
    const struct srv_config *config = http->app->config;
    if (strcmp(config->access_log, "on") != 0) return false;
    if (srv_log_get_level(http->app->log) > SRV_LOG_INFO) return false;
    if (outcome != SRV_OK || config->access_log_sample <= 1) return true;
    uint64_t n = atomic_fetch_add_explicit(&http->n_logged, 1, memory_order_relaxed);
    return n % (uint64_t)config->access_log_sample == 0;
}

void srv_record(struct srv_exchange *exchange, bool was_sent, int64_t now_us)
{
    int64_t total_us = now_us - exchange->request.received_us;
    size_t outcome = exchange->request.reply.code;
    if (exchange->phase != SRV_EXCHANGE_REPLIED)
        outcome = exchange->peer && srv_peer_was_cut(exchange->peer) ? SRV_REQUEST_TIMEOUT
                                                                     : CLIENT_CLOSED;
    unsigned status = status_of(outcome);
    count(exchange->http, exchange->request.route, outcome, status, total_us);
    count_inference(exchange, status, total_us);
    if (is_logged(exchange->http, outcome)) write_access_log(exchange, outcome, was_sent, now_us);
}
