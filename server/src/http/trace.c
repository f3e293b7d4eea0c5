/* The trace that a request is part of. */
#include "http/exchange.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define GOLDEN 0x9E3779B97F4A7C15u

/* SplitMix64 (Steele, Lea, Flood 2014): every number once, in an order that begins anywhere. */
static uint64_t draw(struct srv_http *http)
{
    uint64_t z =
        atomic_fetch_add_explicit(&http->next_random, GOLDEN, memory_order_relaxed) + GOLDEN;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void srv_trace_seed(struct srv_http *http)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = (uint64_t)(uintptr_t)http;
    atomic_init(&http->next_random, seed);
}

static enum MHD_Result count_traceparent(void *cls, enum MHD_ValueKind kind, const char *key,
                                         const char *value)
{
    unsigned *n = cls;
    (void)kind, (void)value;
    *n += strcasecmp(key, "traceparent") == 0;
    return MHD_YES;
}

/* Of several nobody knows which one is true. */
static bool has_one(struct srv_exchange *exchange)
{
    unsigned n = 0;
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_traceparent, &n);
    return n == 1;
}

void srv_trace_find(struct srv_exchange *exchange)
{
    struct srv_http *http = exchange->http;
    const char *setting = http->app->config->trace_context;
    if (strcmp(setting, "off") == 0) return;
    const char *given = exchange->request.header(&exchange->request, "traceparent");
    if (given && has_one(exchange) && srv_trace_continue(given, draw(http), &exchange->trace))
        return;
    if (strcmp(setting, "create") != 0) return;
    const uint64_t random[3] = {draw(http), draw(http), draw(http)};
    srv_trace_begin(random, &exchange->trace);
}
