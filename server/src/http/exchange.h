/* One request on its way through a listener. For the files of http/ only. */
#ifndef SRV_HTTP_EXCHANGE_H
#define SRV_HTTP_EXCHANGE_H

#include "api/app.h"
#include "api/routes.h"
#include "base/trace.h"
#include "http/accept.h"
#include "http/compress.h"
#include "http/listen.h"
#include "http/peers.h"
#include "http/tls.h"

#include <microhttpd.h>
#include <pthread.h>

enum { SRV_MAX_PATH_BYTES = 1024 };

/* What an exchange waits for. */
enum srv_exchange_phase {
    SRV_EXCHANGE_NEW,      /* the headers */
    SRV_EXCHANGE_READING,  /* the body */
    SRV_EXCHANGE_LATER,    /* somebody who calls resume */
    SRV_EXCHANGE_FINISHED, /* nobody: the reply is written */
    SRV_EXCHANGE_REPLIED,  /* the client, who takes it */
};

/* Who is first, the thread that suspends or the one that resumes. */
enum srv_wait { SRV_WAIT_NONE, SRV_WAIT_SUSPENDED, SRV_WAIT_OVER };

/* A part of a multipart body; data are at an offset of the body, which may still move. */
struct srv_form_part {
    char name[64], file_name[128];
    size_t offset, n_bytes;
};

struct srv_exchange {
    struct srv_request request; /* first: a request is turned back into its exchange */
    struct srv_http *http;
    struct MHD_Connection *connection;
    struct srv_peer *peer;
    enum srv_exchange_phase phase;
    _Atomic enum srv_wait wait;
    bool is_counted; /* in flight */
    struct srv_trace trace;

    char path[SRV_MAX_PATH_BYTES];
    bool path_was_cut, target_has_blank;
    char captures[SRV_MAX_PATH_BYTES + SRV_MAX_CAPTURES];

    /* The body. refusal: why the rest of it is read and thrown away; OK: it is kept. */
    uint8_t *bytes;
    size_t n_bytes, capacity, n_received, n_announced;
    enum srv_code refusal;
    size_t n_reserved;             /* what is counted beside the body */
    struct srv_inflater *inflater; /* of a body that comes compressed, until it is there */
    size_t n_inflated;

    struct MHD_PostProcessor *form; /* multipart only */
    struct srv_form_part *form_parts;
    struct srv_part *parts;
    size_t n_parts, parts_capacity;
    bool form_is_bad;

    struct srv_exchange *next_free;
};

/* Exchanges are kept for the next request, with buffers of ordinary size. */
struct srv_exchange_pool {
    pthread_mutex_t mutex; /* guards the two below */
    struct srv_exchange *free_ones;
    size_t n_free;
    atomic_size_t body_bytes; /* in all bodies of the listener, and what is made of them */
};

struct srv_http {
    struct srv_app *app;
    enum srv_listener listener;
    struct MHD_Daemon *daemon;
    struct srv_acceptor *acceptor; /* NULL once the listener drains */
    atomic_size_t n_connections;
    struct srv_peers *peers;
    struct srv_rate_limit *rate_limit; /* NULL: this listener has none */
    struct srv_exchange_pool pool;
    struct srv_tls *tls; /* NULL: plain */
    struct srv_listening listening;
    atomic_bool closing;       /* drained: requests are refused */
    atomic_size_t n_in_flight; /* requests, and calls of resume */
    atomic_uint_least64_t next_id, next_random;
    atomic_uint_least64_t n_logged; /* successes, those included that access_log_sample left out */
    struct srv_series *in_flight;
    /* [route or none][code], found on first use. */
    _Atomic(struct srv_series *) *requests;
    _Atomic(struct srv_series *) *seconds; /* [route or none] */
};

/* exchange.c: from the pool, and back. acquire returns NULL when out of memory. trim frees the
 * buffers that are kept for the next bodies. */
struct srv_exchange *srv_exchange_acquire(struct srv_http *http);
void srv_exchange_release(struct srv_exchange *exchange);
void srv_exchange_pool_trim(struct srv_exchange_pool *pool);
void srv_exchange_pool_fini(struct srv_exchange_pool *pool);

/* handle.c: libmicrohttpd's callbacks for a request: its first line is there, more of it is, it is
 * over. cls: the listener. */
void *srv_handle_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result srv_handle(void *cls, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *data,
                           size_t *n_data, void **context);
void srv_handle_end(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_RequestTerminationCode how);

/* headers.c: whether the headers of a request of that version of HTTP are understood alike by all
 * who read them. False: the reply, an error, must be sent at once; libmicrohttpd ends the
 * connection with a reply that comes before the body was asked for. */
bool srv_headers_check(struct srv_exchange *exchange, const char *version);

/* body.c. begin decides from the headers whether a body is taken; false: the reply must be sent at
 * once, the body is too long to be read for nothing. add keeps or throws away; false: close the
 * connection. end makes request.body and request.parts; false: the reply is an error. */
bool srv_body_begin(struct srv_exchange *exchange);
bool srv_body_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes);
bool srv_body_end(struct srv_exchange *exchange);
/* Room for n more bytes; false with exchange.refusal set. */
bool srv_body_append(struct srv_exchange *exchange, const void *bytes, size_t n_bytes);

/* inflate.c: a body with Content-Encoding. begin makes the inflater, or a refusal; add inflates
 * what came and hands it to take; end refuses a stream that is not whole; drop gives the memory
 * back. */
void srv_inflate_begin(struct srv_exchange *exchange);
void srv_inflate_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes,
                     srv_inflater_take *take);
void srv_inflate_end(struct srv_exchange *exchange);
void srv_inflate_drop(struct srv_exchange *exchange);
/* body.c: memory of bodies is counted against max_bodies_bytes. False with exchange.refusal set. */
bool srv_body_reserve(struct srv_exchange *exchange, size_t n_bytes);

/* form.c: multipart/form-data. begin makes the parser if the body is such a form, or a refusal; add
 * hands it what came; end makes request.parts, false: the reply is an error. */
void srv_form_begin(struct srv_exchange *exchange);
void srv_form_add(struct srv_exchange *exchange, const char *bytes, size_t n_bytes);
bool srv_form_end(struct srv_exchange *exchange);

/* rate.c: may make the reply 429, and exchange.refusal with it. */
void srv_rate_check(struct srv_exchange *exchange);

/* send.c: queues the reply. */
enum MHD_Result srv_exchange_send(struct srv_exchange *exchange);

/* trace.c: which trace a request is part of, from its headers. */
void srv_trace_seed(struct srv_http *http);
void srv_trace_find(struct srv_exchange *exchange);

/* record.c: metrics and access log of a request that is over. */
enum eng_status srv_record_init(struct srv_http *http, struct eng_error *err);
void srv_record_fini(struct srv_http *http);
void srv_record(struct srv_exchange *exchange, bool was_sent, int64_t now_us);

#endif
