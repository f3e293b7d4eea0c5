#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

enum {
    EXACT_BYTES = 1 << 20, /* an announced length up to this is allocated at once */
    FIRST_BYTES = 16 * 1024
};

/*
 * Up to here a refused body is read and thrown away: a client that sends before it listens would
 * lose the answer if the connection were closed at once. Beyond, it is.
 */
static size_t max_read_bytes(const struct srv_exchange *exchange)
{
    return 2 * (size_t)exchange->http->app->config->max_body_bytes;
}

static void refuse_large(struct srv_exchange *exchange)
{
    exchange->refusal = SRV_TOO_LARGE;
    srv_reply_error(&exchange->request, SRV_TOO_LARGE,
                    "the body%s is larger than max_body_bytes, which is %lld",
                    exchange->inflater ? ", inflated," : "",
                    (long long)exchange->http->app->config->max_body_bytes);
}

static void refuse_unwanted(struct srv_exchange *exchange)
{
    exchange->refusal = SRV_INVALID_REQUEST;
    srv_reply_error(&exchange->request, SRV_INVALID_REQUEST, "the route %s takes no body",
                    exchange->request.route->pattern);
}

static void refuse_bodies(struct srv_exchange *exchange, size_t limit)
{
    static const char *const labels[] = {"bodies", ""};
    exchange->refusal = SRV_QUEUE_FULL;
    srv_reply_error(&exchange->request, SRV_QUEUE_FULL,
                    "the bodies of all requests, and what is made of them, reach max_bodies_bytes, "
                    "which is %zu",
                    limit);
    srv_series_add(srv_metrics_series(exchange->http->app->metrics, SRV_M_REFUSED, labels), 1);
}

static void refuse_memory(struct srv_exchange *exchange)
{
    exchange->refusal = SRV_INTERNAL;
    srv_reply_error(&exchange->request, SRV_INTERNAL, "out of memory");
}

bool srv_body_begin(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    const char *length = request->header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    bool is_expecting = request->header(request, MHD_HTTP_HEADER_EXPECT) != NULL;
    exchange->n_announced = length ? strtoull(length, NULL, 10) : 0;
    if (exchange->refusal == SRV_OK &&
        exchange->n_announced > (size_t)exchange->http->app->config->max_body_bytes)
        refuse_large(exchange);
    if (exchange->refusal == SRV_OK) srv_inflate_begin(exchange);
    if (exchange->refusal == SRV_OK) srv_form_begin(exchange);
    if (exchange->refusal == SRV_OK) return true;
    return !is_expecting && exchange->n_announced <= max_read_bytes(exchange);
}

static bool take_room(struct srv_exchange_pool *pool, size_t n_bytes, size_t limit)
{
    if (atomic_fetch_add(&pool->body_bytes, n_bytes) + n_bytes <= limit) return true;
    atomic_fetch_sub(&pool->body_bytes, n_bytes);
    return false;
}

bool srv_body_reserve(struct srv_exchange *exchange, size_t n_bytes)
{
    struct srv_exchange_pool *pool = &exchange->http->pool;
    size_t limit = (size_t)exchange->http->app->config->max_bodies_bytes;
    if (take_room(pool, n_bytes, limit)) return true;
    srv_exchange_pool_trim(pool); /* spare buffers count too */
    if (take_room(pool, n_bytes, limit)) return true;
    refuse_bodies(exchange, limit);
    return false;
}

/* Grows to n bytes at least, counted against the listener's limit on all bodies. */
static bool grow(struct srv_exchange *exchange, size_t n)
{
    size_t capacity = exchange->capacity ? exchange->capacity : FIRST_BYTES;
    if (exchange->n_announced < EXACT_BYTES && capacity <= exchange->n_announced)
        capacity = exchange->n_announced + 1;
    while (capacity < n)
        capacity *= 2;
    size_t more = capacity - exchange->capacity;
    if (!srv_body_reserve(exchange, more)) return false;
    uint8_t *bytes = realloc(exchange->bytes, capacity);
    if (!bytes) {
        atomic_fetch_sub(&exchange->http->pool.body_bytes, more);
        refuse_memory(exchange);
        return false;
    }
    exchange->bytes = bytes;
    exchange->capacity = capacity;
    return true;
}

bool srv_body_append(struct srv_exchange *exchange, const void *bytes, size_t n_bytes)
{
    if (n_bytes >= exchange->capacity - exchange->n_bytes &&
        !grow(exchange, exchange->n_bytes + n_bytes + 1))
        return false;
    memcpy(exchange->bytes + exchange->n_bytes, bytes, n_bytes);
    exchange->n_bytes += n_bytes;
    return true;
}

/* The body as it is meant. Returns false when the rest of it is not wanted. */
static bool take_plain(void *ctx, const char *bytes, size_t n_bytes)
{
    struct srv_exchange *exchange = ctx;
    exchange->n_inflated += n_bytes;
    if (exchange->n_inflated > (size_t)exchange->http->app->config->max_body_bytes)
        refuse_large(exchange);
    else if (exchange->form)
        srv_form_add(exchange, bytes, n_bytes);
    else
        srv_body_append(exchange, bytes, n_bytes);
    return exchange->refusal == SRV_OK;
}

bool srv_body_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes)
{
    size_t limit = (size_t)exchange->http->app->config->max_body_bytes;
    exchange->n_received += n_bytes;
    if (exchange->refusal == SRV_OK && !exchange->request.route->takes_body)
        refuse_unwanted(exchange);
    if (exchange->refusal == SRV_OK && exchange->n_received > limit) refuse_large(exchange);
    /* Nobody is read forever: libmicrohttpd cannot answer before the body's end. */
    if (exchange->refusal != SRV_OK) return exchange->n_received <= 2 * limit;
    if (exchange->inflater)
        srv_inflate_add(exchange, bytes, n_bytes, take_plain);
    else
        take_plain(exchange, bytes, n_bytes);
    return true;
}

bool srv_body_end(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    if (exchange->inflater) srv_inflate_end(exchange);
    if (exchange->form && exchange->refusal == SRV_OK) return srv_form_end(exchange);
    if (exchange->refusal != SRV_OK || !srv_body_append(exchange, "", 0)) return false;
    exchange->bytes[exchange->n_bytes] = '\0';
    request->body = exchange->bytes;
    request->n_body = exchange->n_bytes;
    return true;
}
