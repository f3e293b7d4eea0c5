#include "api/cors.h"
#include "base/clock.h"
#include "base/digits.h"
#include "http/exchange.h"

#include <string.h>

/* For when not even the error's sentence could be written. */
static const char out_of_memory[] = "{\"error\":\"out of memory\",\"code\":\"internal\"}\n";

static void add_retry_after(unsigned s, struct MHD_Response *response)
{
    char text[SRV_DECIMAL_CHARS + 1];
    text[srv_decimal(s, text)] = '\0';
    MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
}

/* Says it as milliseconds with three decimals; before is what stands before it. Returns its end. */
static char *put_duration(char *to, const char *before, int64_t us)
{
    to = stpcpy(to, before);
    to += srv_decimal(us / 1000, to);
    char *point = to;
    to += srv_decimal(1000 + us % 1000, to);
    *point = '.';
    return to;
}

/* Of requests that were answered by a model. */
static void add_server_timing(const struct srv_request *request, struct MHD_Response *response)
{
    enum { MAX_NAMES_BYTES = 80 };
    char text[MAX_NAMES_BYTES + 4 * (2 * SRV_DECIMAL_CHARS)], *end = text;
    end = put_duration(end, "decode;dur=", request->seen.decode_us);
    end = put_duration(end, ", queue;dur=", request->seen.queue_us);
    end = put_duration(end, ", compute;dur=", request->seen.compute_us);
    end = put_duration(end, ", total;dur=", request->seen.answered_us - request->received_us);
    *end = '\0';
    MHD_add_response_header(response, "Server-Timing", text);
}

static void add_header(void *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

static void add_headers(const struct srv_exchange *exchange, struct MHD_Response *response)
{
    const struct srv_request *request = &exchange->request;
    const char *type = request->reply.content_type;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            type ? type : "application/json");
    MHD_add_response_header(response, "X-Request-Id", request->id);
    if (exchange->trace.trace_id[0]) {
        char traceparent[SRV_TRACEPARENT_CHARS + 1];
        srv_trace_header(&exchange->trace, traceparent);
        MHD_add_response_header(response, "traceparent", traceparent);
    }
    if (request->seen.answered_us > 0) add_server_timing(request, response);
    const struct srv_text *headers = &request->reply.headers;
    for (size_t i = 0; i < headers->n_bytes;) {
        const char *name = headers->bytes + i, *value = name + strlen(name) + 1;
        MHD_add_response_header(response, name, value);
        i = (size_t)(value - headers->bytes) + strlen(value) + 1;
    }
    if (exchange->http->listener == SRV_PUBLIC) srv_cors_write(request, add_header, response);
    unsigned status = srv_code_http(request->reply.code);
    if (request->reply.allow[0])
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->reply.allow);
    if (request->reply.retry_after_s > 0) add_retry_after(request->reply.retry_after_s, response);
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (atomic_load_explicit(&exchange->http->app->shutting_down, memory_order_relaxed))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

/* Below, a reply fits into one or two packets anyway. */
enum { MIN_COMPRESSED_BYTES = 2048 };

/* Pictures are compressed already. */
static void compress(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    const char *type = request->reply.content_type;
    if (request->reply.body.n_bytes < MIN_COMPRESSED_BYTES ||
        (type && strncmp(type, "image/", 6) == 0))
        return;
    srv_reply_header(request, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    enum srv_encoding encoding =
        srv_encoding_choose(request->header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    if (encoding != SRV_ENCODING_NONE && srv_compress_text(encoding, &request->reply.body))
        srv_reply_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING, srv_encoding_name(encoding));
}

enum MHD_Result srv_exchange_send(struct srv_exchange *exchange)
{
    if (!exchange->request.reply.body.failed) compress(exchange);
    struct srv_text *body = &exchange->request.reply.body;
    const char *bytes = body->bytes ? body->bytes : "";
    size_t n_bytes = body->n_bytes;
    if (body->failed || exchange->request.reply.headers.failed) {
        srv_text_clear(&exchange->request.reply.headers);
        exchange->request.reply.code = SRV_INTERNAL;
        exchange->request.reply.content_type = NULL;
        bytes = out_of_memory;
        n_bytes = strlen(out_of_memory);
    }
    /* The bytes live as long as the exchange, which outlives the response. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n_bytes, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    add_headers(exchange, response);
    exchange->phase = SRV_EXCHANGE_REPLIED;
    exchange->request.seen.replied_us = srv_clock_us();
    if (!srv_peer_enter(exchange->peer, SRV_PEER_SENDING, exchange->request.seen.replied_us)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_queue_response(
        exchange->connection, srv_code_http(exchange->request.reply.code), response);
    MHD_destroy_response(response);
    return result;
}
