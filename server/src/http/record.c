#include "http/exchange.h"

#include "base/fail.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is counted for a client that went away before its answer, as nginx does. */
enum { CLIENT_CLOSED_REQUEST = 499 };
enum { MAX_FIELDS = 32 };
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

#define TEXT(k, t)   ((struct srv_log_field){.key = k, .text = (t)})
#define WORD(k, t)   ((struct srv_log_field){.key = k, .text = (t), .is_word = true})
#define NUMBER(k, n) ((struct srv_log_field){.key = k, .number = (int64_t)(n)})

/* The fields of a line; those that say nothing are left out. */
struct line {
    struct srv_log_field fields[MAX_FIELDS];
    size_t n;
};

static inline void add(struct line *line, struct srv_log_field field)
{
    assert(line->n < MAX_FIELDS);
    if (!field.text || field.text[0] != '\0') line->fields[line->n++] = field;
}

static void add_request(struct line *line, const struct srv_exchange *exchange, size_t outcome,
                        bool was_sent)
{
    const struct srv_request *request = &exchange->request;
    add(line, WORD("id", request->id));
    add(line, WORD("trace_id", exchange->trace.trace_id));
    add(line, WORD("span_id", exchange->trace.span_id));
    add(line, WORD("parent_id", exchange->trace.parent_id));
    add(line, TEXT("client", exchange->peer ? exchange->peer->address : "?"));
    add(line, TEXT("key", request->client_key));
    add(line, WORD("listener", srv_listener_name(exchange->http->listener)));
    add(line, TEXT("method", request->method ? request->method : "?"));
    add(line, TEXT("path", exchange->path));
    add(line, WORD("route", request->route ? request->route->label : "none"));
    add(line, NUMBER("code", status_of(outcome)));
    if (outcome != SRV_OK)
        add(line, WORD("error", outcome == CLIENT_CLOSED ? "client_closed"
                                                         : srv_code_wire((enum srv_code)outcome)));
    add(line, NUMBER("bytes_in", exchange->n_received));
    add(line, NUMBER("bytes_out", was_sent ? (int64_t)request->reply.body.n_bytes : 0));
}

/* Says which of its parts took how long. A phase that was not reached has no field. */
static void add_phases(struct line *line, const struct srv_request *request, int64_t now_us)
{
    int64_t begun_us = request->seen.begun_us, replied_us = request->seen.replied_us;
    if (begun_us > 0) add(line, NUMBER("read_us", begun_us - request->received_us));
    if (request->seen.answered_us > 0) {
        add(line, NUMBER("parse_us", request->seen.submitted_us - begun_us));
        add(line, NUMBER("decode_us", request->seen.decode_us));
        add(line, NUMBER("queue_us", request->seen.queue_us));
        add(line, NUMBER("compute_us", request->seen.compute_us));
        if (replied_us > 0) add(line, NUMBER("encode_us", replied_us - request->seen.answered_us));
    }
    if (replied_us > 0) add(line, NUMBER("send_us", now_us - replied_us));
    add(line, NUMBER("total_us", now_us - request->received_us));
}

static void write_access_log(const struct srv_exchange *exchange, size_t outcome, bool was_sent,
                             int64_t now_us)
{
    const struct srv_app *app = exchange->http->app;
    const struct srv_request *request = &exchange->request;
    struct line line;
    line.n = 0;
    add_request(&line, exchange, outcome, was_sent);
    if (request->seen.model[0]) {
        add(&line, TEXT("model", request->seen.model));
        add(&line, WORD("version", request->seen.version));
        add(&line, WORD("digest", request->seen.digest));
        add(&line, NUMBER("pictures", request->seen.n_pictures));
    }
    add_phases(&line, request, now_us);
    int64_t sample = app->config->access_log_sample;
    if (outcome == SRV_OK && sample > 1) add(&line, NUMBER("sample", sample));
    srv_log_write(app->log, SRV_LOG_INFO, "request", line.fields, line.n);
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
