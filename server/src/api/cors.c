#include "api/cors.h"

#include "api/app.h"
#include "base/names.h"

#include <string.h>

/* What scripts may send and read beside what they always may; in the alphabet's order. */
static const char request_headers[] =
    "Accept, Authorization, Content-Encoding, Content-Type, Inference-Header-Content-Length, "
    "traceparent, tracestate, X-API-Key, X-Request-Deadline-Ms, X-Request-Id, X-Request-Priority";
static const char reply_headers[] =
    "Inference-Header-Content-Length, Retry-After, Server-Timing, traceparent, WWW-Authenticate, "
    "X-Class-Index, X-Class-Label, X-Explain-Method, X-Model, X-Model-Digest, X-Model-Version, "
    "X-Probability, X-Request-Id, X-Score";
static const char preflight_max_age_s[] = "600";

static bool is_any(const char *origins)
{
    return strcmp(origins, "*") == 0;
}

/* What the origin is told to be allowed as; NULL: it is not. */
static const char *allowed_as(const char *origins, const char *origin)
{
    if (is_any(origins)) return "*";
    return srv_names_have(origins, origin) ? origin : NULL;
}

static bool is_preflight(const struct srv_request *request)
{
    return strcmp(request->method, "OPTIONS") == 0 && request->header(request, "Origin") &&
           request->header(request, "Access-Control-Request-Method");
}

bool srv_cors_preflight(struct srv_request *request)
{
    const char *origins = request->app->config->cors_allow_origins;
    if (!origins[0] || !is_preflight(request)) return false;
    const char *origin = request->header(request, "Origin");
    if (allowed_as(origins, origin)) {
        srv_text_puts(&request->reply.body, "{}\n");
        return true;
    }
    srv_reply_error(request, SRV_FORBIDDEN, "the origin \"%.200s\" is not among cors_allow_origins",
                    origin);
    return true;
}

void srv_cors_write(const struct srv_request *request, srv_cors_writer *write, void *ctx)
{
    const char *origins = request->app->config->cors_allow_origins;
    if (!origins[0]) return;
    /* The answer to one origin must not be kept for another. */
    if (!is_any(origins)) write(ctx, "Vary", "Origin");
    const char *origin = request->header(request, "Origin");
    const char *allowed = origin ? allowed_as(origins, origin) : NULL;
    if (!allowed) return;
    write(ctx, "Access-Control-Allow-Origin", allowed);
    if (!is_preflight(request)) {
        write(ctx, "Access-Control-Expose-Headers", reply_headers);
        return;
    }
    write(ctx, "Access-Control-Allow-Methods", request->reply.allow);
    write(ctx, "Access-Control-Allow-Headers", request_headers);
    write(ctx, "Access-Control-Max-Age", preflight_max_age_s);
}
