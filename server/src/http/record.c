#include "http/exchange.h"

#include "base/clock.h"
#include "base/fail.h"

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

static void write_access_log(const struct srv_exchange *exchange, unsigned status, bool was_sent,
                             int64_t total_us)
{
    const struct srv_request *request = &exchange->request;
    const struct srv_log_field fields[] = {
        {"id", request->id, 0},
        {"client", exchange->peer ? exchange->peer->address : "?", 0},
        {"listener", srv_listener_name(exchange->http->listener), 0},
        {"method", request->method ? request->method : "?", 0},
        {"path", exchange->path, 0},
        {"route", request->route ? request->route->label : "none", 0},
        {"code", NULL, status},
        {"bytes_in", NULL, (int64_t)exchange->n_received},
        {"bytes_out", NULL, was_sent ? (int64_t)request->reply.body.n_bytes : 0},
        {"total_us", NULL, total_us},
        {"model", request->seen.model, 0},
        {"version", request->seen.version, 0},
        {"pictures", NULL, (int64_t)request->seen.n_pictures},
        {"decode_us", NULL, request->seen.decode_us},
        {"queue_us", NULL, request->seen.queue_us},
        {"compute_us", NULL, request->seen.compute_us},
    };
    size_t n_fields = sizeof fields / sizeof fields[0];
    /* The last six say something of requests that a model was found for. */
    srv_log_write(exchange->http->app->log, SRV_LOG_INFO, "request", fields,
                  request->seen.model[0] ? n_fields : n_fields - 6);
}

void srv_record(struct srv_exchange *exchange, bool was_sent)
{
    const struct srv_app *app = exchange->http->app;
    int64_t total_us = srv_clock_us() - exchange->request.received_us;
    size_t outcome = exchange->request.reply.code;
    if (exchange->phase != SRV_EXCHANGE_REPLIED)
        outcome = exchange->peer && srv_peer_was_cut(exchange->peer) ? SRV_REQUEST_TIMEOUT
                                                                     : CLIENT_CLOSED;
    unsigned status =
        outcome == CLIENT_CLOSED ? CLIENT_CLOSED_REQUEST : srv_code_http((enum srv_code)outcome);
    count(exchange->http, exchange->request.route, outcome, status, total_us);
    count_inference(exchange, status, total_us);
    if (strcmp(app->config->access_log, "on") == 0)
        write_access_log(exchange, status, was_sent, total_us);
}
