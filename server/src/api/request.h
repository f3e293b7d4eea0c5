/* What a handler sees of a request and says in its reply. No sockets here: http/ fills and sends. */
#ifndef SRV_API_REQUEST_H
#define SRV_API_REQUEST_H

#include "base/code.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv_app; /* api/app.h: registry, loader, metrics, config, log */
struct srv_route;

enum { SRV_MAX_CAPTURES = 3, SRV_REQUEST_ID_CHARS = 64 };

/* One file of a multipart/form-data body. */
struct srv_part {
    const char *name, *file_name, *content_type; /* "" if absent */
    const uint8_t *data;
    size_t n_bytes;
};

struct srv_request {
    struct srv_app *app;
    const struct srv_route *route;
    const char *method, *path;
    const char *captures[SRV_MAX_CAPTURES]; /* in pattern order, NULL past the last */
    char id[SRV_REQUEST_ID_CHARS + 1];      /* X-Request-Id, the client's if it is well-formed */
    const char *content_type;               /* "" if absent */
    const uint8_t *body;
    size_t n_body;
    const struct srv_part *parts; /* multipart only */
    size_t n_parts;
    int64_t received_us, deadline_us;
    /* Query and header values, NULL if absent; borrowed for the request's life. */
    const char *(*query)(const struct srv_request *request, const char *name);
    const char *(*header)(const struct srv_request *request, const char *name);
    /* Answers a request whose handler returned SRV_LATER; any thread, once. */
    void (*resume)(struct srv_request *request);

    /* The reply. */
    struct {
        enum srv_code code;
        const char *content_type; /* static string; NULL: application/json */
        struct srv_text body;
        char server_timing[160]; /* "" = none */
        char allow[64];          /* 405 */
        int retry_after_s;       /* 503: > 0 */
    } reply;

    /* For the access log and the metrics: filled by handlers that classify. */
    struct {
        char model[64], version[32];
        int64_t decode_us, queue_us, compute_us;
        size_t batch_size;
    } seen;
    void *handler_state; /* the handler's own, between LATER and resume */
};

enum srv_handled { SRV_DONE, SRV_LATER };

typedef enum srv_handled srv_handler(struct srv_request *request);

/* Purpose: makes the reply an error: {"error": sentence, "code": wire code, "request_id": id}. */
void srv_reply_error(struct srv_request *request, enum srv_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
