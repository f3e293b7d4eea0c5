/* 429: a client of the public listener that sends more than its limit allows. */
#include "base/clock.h"
#include "base/rate_limit.h"
#include "http/exchange.h"
#include "serve/admission.h"

/* Probes, metrics and what else is only read are free, and so is what a browser asks before it
 * sends; what computes is counted, and so are paths that lead nowhere. */
static bool is_counted(const struct srv_request *request)
{
    if (request->route) return request->route->takes_body;
    bool is_preflight = request->reply.code == SRV_OK;
    return !is_preflight;
}

static void refuse(struct srv_exchange *exchange, struct srv_rate rate, int64_t retry_us)
{
    static const char *const labels[] = {"rate_limit", ""};
    struct srv_request *request = &exchange->request;
    exchange->refusal = SRV_TOO_MANY_REQUESTS;
    srv_reply_error(request, SRV_TOO_MANY_REQUESTS,
                    "%s sends more than %lld requests a second, of which %lld may come at once",
                    request->client_key[0] ? "the API key's owner" : "this address",
                    (long long)rate.per_s, (long long)rate.burst);
    request->reply.retry_after_s = srv_admission_retry_after_s((double)retry_us);
    srv_series_add(srv_metrics_series(request->app->metrics, SRV_M_REFUSED, labels), 1);
}

void srv_rate_check(struct srv_exchange *exchange)
{
    const struct srv_request *request = &exchange->request;
    const struct srv_config *config = request->app->config;
    const struct srv_rate rate = {config->rate_limit_per_s, config->rate_limit_burst};
    struct srv_rate_limit *limit = exchange->http->rate_limit;
    if (!limit || rate.per_s == 0 || !is_counted(request)) return;
    struct srv_rate_client client = request->client_key[0]
                                        ? srv_rate_client_of_key(request->client_key)
                                        : exchange->peer->client;
    int64_t retry_us;
    if (!srv_rate_limit_take(limit, client, rate, srv_clock_us(), &retry_us))
        refuse(exchange, rate, retry_us);
}
