/* One request on its way: libmicrohttpd's callbacks. */
#include "api/authorize.h"
#include "api/cors.h"
#include "base/clock.h"
#include "base/digits.h"
#include "http/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *query_value(const struct srv_request *request, const char *name)
{
    const struct srv_exchange *exchange = (const struct srv_exchange *)request;
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header_value(const struct srv_request *request, const char *name)
{
    const struct srv_exchange *exchange = (const struct srv_exchange *)request;
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

static bool reserve(struct srv_request *request, size_t n_bytes)
{
    struct srv_exchange *exchange = (struct srv_exchange *)request;
    if (!srv_body_reserve(exchange, n_bytes)) return false;
    exchange->n_reserved += n_bytes;
    return true;
}

/* Any thread, once per request that is LATER. */
static void resume(struct srv_request *request)
{
    struct srv_exchange *exchange = (struct srv_exchange *)request;
    struct srv_http *http = exchange->http;
    struct MHD_Connection *connection = exchange->connection;
    /* The answer may be on its way before MHD_resume_connection returns: the drain waits for both.
     */
    atomic_fetch_add(&http->n_in_flight, 1);
    /* Whoever comes second acts: if it is not suspended yet, answer_later sees that it need not be.
     */
    if (atomic_exchange(&exchange->wait, SRV_WAIT_OVER) == SRV_WAIT_SUSPENDED)
        MHD_resume_connection(connection);
    atomic_fetch_sub(&http->n_in_flight, 1);
}

/* Of "http://host:port/path?query" (RFC 9112, 3.2.2) what stands behind the host. */
static const char *path_of(const char *uri)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i]);
        if (strncasecmp(uri, schemes[i], n) != 0) continue;
        const char *path = uri + n + strcspn(uri + n, "/?");
        return *path == '/' ? path : "/";
    }
    return uri;
}

static void copy_path(struct srv_exchange *exchange, const char *path)
{
    size_t n = strcspn(path, "?");
    exchange->path_was_cut = n >= sizeof exchange->path;
    if (exchange->path_was_cut) n = sizeof exchange->path - 1;
    memcpy(exchange->path, path, n);
    exchange->path[n] = '\0';
}

/* The path as it came, before libmicrohttpd decodes it. */
void *srv_handle_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct srv_http *http = cls;
    struct srv_exchange *exchange = srv_exchange_acquire(http);
    if (!exchange) return NULL;
    copy_path(exchange, path_of(uri));
    exchange->target_has_blank = strchr(uri, ' ');
    exchange->connection = connection;
    exchange->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    exchange->request.app = http->app;
    exchange->request.path = exchange->path;
    exchange->request.query = query_value;
    exchange->request.header = header_value;
    exchange->request.reserve = reserve;
    exchange->request.resume = resume;
    exchange->request.received_us = srv_clock_us();
    return exchange;
}

static bool is_request_id(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strspn(text, allowed);
    return n > 0 && n <= SRV_REQUEST_ID_CHARS && text[n] == '\0';
}

static void set_id(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    const char *given = header_value(request, "X-Request-Id");
    if (given && is_request_id(given)) {
        strcpy(request->id, given);
        return;
    }
    /* An odd multiplier visits every number once, so no two requests of a listener share an id. */
    uint64_t number = atomic_fetch_add_explicit(&exchange->http->next_id, 1, memory_order_relaxed);
    srv_hex(number * 0x9E3779B97F4A7C15u, request->id);
    request->id[SRV_HEX_CHARS] = '\0';
}

static void find_route(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    enum srv_code code = SRV_NOT_FOUND;
    if (!exchange->path_was_cut)
        code = srv_route_match(exchange->http->listener, request->method, exchange->path,
                               &request->route, request->captures, exchange->captures,
                               sizeof exchange->captures, request->reply.allow);
    bool is_preflight = code == SRV_METHOD_NOT_ALLOWED && exchange->http->listener == SRV_PUBLIC &&
                        srv_cors_preflight(request);
    if (code == SRV_NOT_FOUND)
        srv_reply_error(request, code, "there is no route %.200s", exchange->path);
    if (code == SRV_METHOD_NOT_ALLOWED && !is_preflight)
        srv_reply_error(request, code, "the route %.200s does not take %.20s; it takes %s",
                        exchange->path, request->method, request->reply.allow);
    exchange->refusal = code; /* a preflight's reply is there: no handler is to be called for it */
    if (code != SRV_OK) return;
    request->reply.allow[0] = '\0';
    if (!srv_request_authorize(request)) exchange->refusal = request->reply.code;
}

/* A request that comes after the drain must not wait for anybody: nobody will be there to resume
 * it.
 */
static void refuse_if_closing(struct srv_exchange *exchange)
{
    if (exchange->refusal != SRV_OK || !atomic_load(&exchange->http->closing)) return;
    exchange->refusal = SRV_SHUTTING_DOWN;
    srv_reply_error(&exchange->request, SRV_SHUTTING_DOWN, "%s", srv_code_text(SRV_SHUTTING_DOWN));
}

/* The headers are there. */
static enum MHD_Result begin(struct srv_exchange *exchange, const char *method, const char *version)
{
    struct srv_http *http = exchange->http;
    struct srv_request *request = &exchange->request;
    request->method = method;
    const char *type = header_value(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    request->content_type = type ? type : "";
    set_id(exchange);
    srv_trace_find(exchange);
    atomic_fetch_add(&http->n_in_flight, 1);
    srv_series_add(http->in_flight, 1);
    exchange->is_counted = true;
    exchange->phase = SRV_EXCHANGE_READING;
    find_route(exchange);
    srv_rate_check(exchange);
    refuse_if_closing(exchange); /* counted first: see srv_http_drain */
    if (!srv_headers_check(exchange, version) || !srv_body_begin(exchange))
        return srv_exchange_send(exchange);
    memcpy(exchange->peer->request_id, request->id, sizeof request->id);
    srv_peer_enter(exchange->peer, SRV_PEER_BODY, srv_clock_us());
    return MHD_YES;
}

static enum MHD_Result finish_and_send(struct srv_exchange *exchange)
{
    exchange->phase = SRV_EXCHANGE_FINISHED; /* even if it cannot be sent: finish is called once */
    exchange->request.finish(&exchange->request);
    return srv_exchange_send(exchange);
}

static enum MHD_Result answer_later(struct srv_exchange *exchange)
{
    if (atomic_load(&exchange->wait) == SRV_WAIT_OVER) return finish_and_send(exchange);
    exchange->phase = SRV_EXCHANGE_LATER;
    MHD_suspend_connection(exchange->connection);
    if (atomic_exchange(&exchange->wait, SRV_WAIT_SUSPENDED) == SRV_WAIT_OVER)
        MHD_resume_connection(exchange->connection);
    return MHD_YES;
}

/* The whole request is there. */
static enum MHD_Result dispatch(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    int64_t now_us = srv_clock_us();
    request->seen.begun_us = now_us;
    if (!srv_peer_enter(exchange->peer, SRV_PEER_BUSY, now_us)) return MHD_NO;
    if (!srv_body_end(exchange)) return srv_exchange_send(exchange);
    request->deadline_us = now_us + exchange->http->app->config->request_timeout_ms * 1000;
    if (request->route->handler(request) == SRV_LATER) return answer_later(exchange);
    return srv_exchange_send(exchange);
}

enum MHD_Result srv_handle(void *cls, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *data,
                           size_t *n_data, void **context)
{
    struct srv_exchange *exchange = *context;
    (void)cls, (void)connection, (void)url;
    if (!exchange || !exchange->peer) return MHD_NO;
    switch (exchange->phase) {
    case SRV_EXCHANGE_NEW:
        return begin(exchange, method, version);
    case SRV_EXCHANGE_READING:
        if (*n_data == 0) return dispatch(exchange);
        size_t n = *n_data;
        *n_data = 0;
        return srv_body_add(exchange, data, n) ? MHD_YES : MHD_NO;
    case SRV_EXCHANGE_LATER:
        return finish_and_send(exchange);
    case SRV_EXCHANGE_FINISHED:
    case SRV_EXCHANGE_REPLIED:
        break;
    }
    return MHD_NO;
}

/* A request is over, one way or another; the bytes of the reply are needed no more. */
void srv_handle_end(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_RequestTerminationCode how)
{
    struct srv_exchange *exchange = *context;
    struct srv_http *http = cls;
    (void)connection;
    if (!exchange) return;
    *context = NULL;
    if (exchange->phase == SRV_EXCHANGE_LATER) exchange->request.finish(&exchange->request);
    if (exchange->form) MHD_destroy_post_processor(exchange->form);
    int64_t now_us = srv_clock_us();
    if (exchange->peer) srv_peer_enter(exchange->peer, SRV_PEER_HEADERS, now_us);
    if (exchange->is_counted) {
        srv_record(exchange, how == MHD_REQUEST_TERMINATED_COMPLETED_OK, now_us);
        srv_series_add(http->in_flight, -1);
    }
    bool was_counted = exchange->is_counted;
    srv_exchange_release(exchange);
    if (was_counted) atomic_fetch_sub(&http->n_in_flight, 1);
}
