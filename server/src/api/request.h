/* What a handler sees of a request and says in its reply. No sockets here: http/ fills and sends.
 */
#ifndef SRV_API_REQUEST_H
#define SRV_API_REQUEST_H

#include "base/code.h"
#include "base/keys.h"
#include "base/text.h"
#include "serve/served.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv_app; /* api/app.h: registry, loader, metrics, config, log */
struct srv_route;
struct srv_request;

enum { SRV_MAX_CAPTURES = 3, SRV_REQUEST_ID_CHARS = 64, SRV_HEADER_CHARS = 128 };

/* DONE: the reply is there. LATER: somebody else calls resume once, then finish writes the reply.
 */
enum srv_handled { SRV_DONE, SRV_LATER };
typedef enum srv_handled srv_handler(struct srv_request *request);

/* One file of a multipart/form-data body. */
struct srv_part {
    const char *name, *file_name; /* "" if absent */
    const uint8_t *data;
    size_t n_bytes;
};

struct srv_request {
    struct srv_app *app;
    const struct srv_route *route;
    const char *method, *path;
    const char *captures[SRV_MAX_CAPTURES]; /* in pattern order, NULL past the last */
    char id[SRV_REQUEST_ID_CHARS + 1];      /* X-Request-Id, the client's if it is well-formed */
    char client_key[SRV_KEY_ID_CHARS + 1];  /* whose API key or token it showed, "" if none */
    const char *content_type;               /* "" if absent */
    const uint8_t *body;                    /* n_body bytes and a NUL */
    size_t n_body;
    bool is_multipart;
    const struct srv_part *parts; /* multipart only */
    size_t n_parts;
    int64_t received_us, deadline_us;
    /* Query and header values, NULL if absent; borrowed until the handler or finish returns. */
    const char *(*query)(const struct srv_request *request, const char *name);
    const char *(*header)(const struct srv_request *request, const char *name);
    /* Counts n_bytes that will be allocated for the request, until it is over. False: there is no
     * room, and the reply says so. NULL: nobody counts. */
    bool (*reserve)(struct srv_request *request, size_t n_bytes);
    /* Ends the wait of a request whose handler returned SRV_LATER; any thread, once. The caller
     * must not touch the request afterwards. */
    void (*resume)(struct srv_request *request);
    /* Set by a handler that returns SRV_LATER; called once after resume, on the connection's
     * thread, even if the client has gone. */
    void (*finish)(struct srv_request *request);

    /* The reply. */
    struct {
        enum srv_code code;
        const char *content_type; /* static string; NULL: application/json */
        struct srv_text body;
        struct srv_text headers; /* of this reply alone: name, NUL, value, NUL ... */
        char allow[64];          /* 405 */
        unsigned retry_after_s;  /* 0: the reply does not say; every 503 says at least 1 */
    } reply;

    /* For the access log and the metrics: filled by handlers that classify. */
    struct {
        char model[64], version[32], digest[65];
        bool is_inference;    /* counted as one of the version */
        int64_t begun_us;     /* when the whole request was there */
        int64_t submitted_us; /* when its pictures were read; 0: never */
        int64_t answered_us;  /* when what came out was there; 0: never */
        int64_t replied_us;   /* when the reply was written; 0: never */
        int64_t decode_us, queue_us, compute_us;
        size_t n_pictures;
        struct srv_request_series series;
    } seen;
    void *handler_state; /* the handler's own, between LATER and finish */
};

/* Purpose: makes the reply an error: {"error": sentence, "code": wire code, "request_id": id}. */
void srv_reply_error(struct srv_request *request, enum srv_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Purpose: the members of an error body without the braces, for replies that say more. */
void srv_reply_error_members(struct srv_request *request, enum srv_code code, const char *sentence);

/*
 * Purpose: adds a header to the reply. Bytes of value that are no printable ASCII, and '%', are
 * percent-encoded (RFC 3986, 2.1), so any text may be one; it ends before the character that would
 * make it longer than SRV_HEADER_CHARS. Errors drop the headers that were added before.
 */
void srv_reply_header(struct srv_request *request, const char *name, const char *value);

/* Purpose: false and a reply of 415 if the body is a multipart form; wanted ("a JSON object") says
 * what it should be. */
bool srv_request_is_no_form(struct srv_request *request, const char *wanted);

/* Purpose: makes the deadline timeout_us from the request's arrival, if that is earlier. */
void srv_request_limit_time(struct srv_request *request, int64_t timeout_us);

#endif
