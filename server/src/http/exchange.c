#include "http/exchange.h"

#include <stdlib.h>
#include <string.h>

/* What an idle exchange may keep: enough for small pictures. */
enum { MAX_FREE = 256, KEPT_BYTES = 64 * 1024 };

static void drop_body(struct srv_exchange *exchange)
{
    atomic_fetch_sub(&exchange->http->pool.body_bytes, exchange->capacity);
    free(exchange->bytes);
    exchange->bytes = NULL;
    exchange->capacity = 0;
}

static void free_exchange(struct srv_exchange *exchange)
{
    drop_body(exchange);
    srv_text_fini(&exchange->request.reply.body);
    srv_text_fini(&exchange->request.reply.headers);
    free(exchange->form_parts);
    free(exchange->parts);
    free(exchange);
}

struct srv_exchange *srv_exchange_acquire(struct srv_http *http)
{
    struct srv_exchange_pool *pool = &http->pool;
    pthread_mutex_lock(&pool->mutex);
    struct srv_exchange *exchange = pool->free_ones;
    if (exchange) {
        pool->free_ones = exchange->next_free;
        pool->n_free--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!exchange) exchange = calloc(1, sizeof *exchange);
    if (exchange) exchange->http = http;
    return exchange;
}

/* Everything but the buffers worth keeping is forgotten. */
static void reset(struct srv_exchange *exchange)
{
    struct srv_text reply = exchange->request.reply.body;
    srv_inflate_drop(exchange);
    if (exchange->n_reserved > 0)
        atomic_fetch_sub(&exchange->http->pool.body_bytes, exchange->n_reserved);
    if (exchange->capacity > KEPT_BYTES) drop_body(exchange);
    if (reply.capacity > KEPT_BYTES) srv_text_fini(&reply);
    srv_text_clear(&reply);
    srv_text_fini(&exchange->request.reply.headers);
    free(exchange->form_parts);
    free(exchange->parts);
    struct srv_http *http = exchange->http;
    uint8_t *bytes = exchange->bytes;
    size_t capacity = exchange->capacity;
    memset(exchange, 0, sizeof *exchange);
    exchange->http = http;
    exchange->bytes = bytes;
    exchange->capacity = capacity;
    exchange->request.reply.body = reply;
}

void srv_exchange_release(struct srv_exchange *exchange)
{
    struct srv_exchange_pool *pool = &exchange->http->pool;
    reset(exchange);
    pthread_mutex_lock(&pool->mutex);
    bool keep = pool->n_free < MAX_FREE;
    if (keep) {
        exchange->next_free = pool->free_ones;
        pool->free_ones = exchange;
        pool->n_free++;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!keep) free_exchange(exchange);
}

void srv_exchange_pool_trim(struct srv_exchange_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    for (struct srv_exchange *exchange = pool->free_ones; exchange; exchange = exchange->next_free)
        drop_body(exchange);
    pthread_mutex_unlock(&pool->mutex);
}

void srv_exchange_pool_fini(struct srv_exchange_pool *pool)
{
    for (struct srv_exchange *exchange = pool->free_ones, *next; exchange; exchange = next) {
        next = exchange->next_free;
        free_exchange(exchange);
    }
    pool->free_ones = NULL;
    pthread_mutex_destroy(&pool->mutex);
}
