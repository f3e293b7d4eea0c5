/* Bodies of requests that come compressed: any route takes them. */
#include "http/exchange.h"

void srv_inflate_begin(struct srv_exchange *exchange)
{
    struct srv_request *request = &exchange->request;
    const char *value = request->header(request, MHD_HTTP_HEADER_CONTENT_ENCODING);
    enum srv_encoding encoding = srv_encoding_parse(value);
    if (encoding == SRV_ENCODING_NONE) return;
    if (encoding == SRV_ENCODING_OTHER) {
        exchange->refusal = SRV_UNSUPPORTED_MEDIA_TYPE;
        srv_reply_error(request, SRV_UNSUPPORTED_MEDIA_TYPE,
                        "Content-Encoding is \"%.60s\", wanted gzip, deflate or identity", value);
        srv_reply_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING, "gzip, deflate");
        return;
    }
    if (!srv_body_reserve(exchange, SRV_INFLATER_BYTES)) return;
    exchange->inflater = srv_inflater_create(encoding);
    if (exchange->inflater) return;
    atomic_fetch_sub(&exchange->http->pool.body_bytes, SRV_INFLATER_BYTES);
    exchange->refusal = SRV_INTERNAL;
    srv_reply_error(request, SRV_INTERNAL, "out of memory");
}

void srv_inflate_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes,
                     srv_inflater_take *take)
{
    struct eng_error err = {0};
    enum eng_status status =
        srv_inflater_add(exchange->inflater, bytes, n_bytes, take, exchange, &err);
    if (status == ENG_OK) return;
    exchange->refusal = status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_INVALID_REQUEST;
    srv_reply_error(&exchange->request, exchange->refusal,
                    "the body is not what its Content-Encoding says: %s", err.text);
}

void srv_inflate_end(struct srv_exchange *exchange)
{
    bool is_whole = exchange->n_received == 0 || srv_inflater_has_ended(exchange->inflater);
    srv_inflate_drop(exchange);
    if (is_whole || exchange->refusal != SRV_OK) return;
    exchange->refusal = SRV_INVALID_REQUEST;
    srv_reply_error(&exchange->request, SRV_INVALID_REQUEST,
                    "the body ends before its Content-Encoding does: it is cut short");
}

void srv_inflate_drop(struct srv_exchange *exchange)
{
    if (!exchange->inflater) return;
    srv_inflater_destroy(exchange->inflater);
    exchange->inflater = NULL;
    atomic_fetch_sub(&exchange->http->pool.body_bytes, SRV_INFLATER_BYTES);
}
