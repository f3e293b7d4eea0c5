/*
 * The open connections of a listener, and a thread that cuts those whose client is too slow or has
 * left. libmicrohttpd's own timeout is between two bytes, and the same from its start to its end.
 */
#ifndef SRV_HTTP_PEERS_H
#define SRV_HTTP_PEERS_H

#include "api/request.h"
#include "base/rate_limit.h"

#include <stdatomic.h>
#include <sys/socket.h>

/* What is waited for. */
enum srv_peer_phase {
    SRV_PEER_HANDSHAKE, /* TLS's */
    SRV_PEER_HEADERS,   /* (the rest of) the next request's */
    SRV_PEER_BODY,
    SRV_PEER_BUSY,    /* nothing from the client */
    SRV_PEER_SENDING, /* that it takes its answer */
    SRV_PEER_CUT,     /* nothing any more: the watcher ended it, and it stays so */
};

struct srv_tls_pair;       /* http/tls.h */
struct gnutls_session_int; /* of GnuTLS */

enum { SRV_TIMEOUT_REPLY_BYTES = 512 };

struct srv_peer {
    int fd;
    struct srv_tls_pair *tls;                  /* NULL: what is sent is not encrypted */
    struct gnutls_session_int *session;        /* of tls */
    char address[48];                          /* no port; or "unix:uid:1000:pid:42" */
    struct srv_rate_client client;             /* whose requests are counted together */
    char request_id[SRV_REQUEST_ID_CHARS + 1]; /* written before the phase becomes BODY */
    _Atomic enum srv_peer_phase phase;
    _Atomic int64_t since_us;   /* when the phase began */
    atomic_bool is_owed_answer; /* with CUT: it was cut amid its body and is to be told so */
    int n_unsent;               /* the watcher's own: bytes on their way at the last look */
    int n_left_looks;           /* the watcher's own: how often it saw that the client has left */
    struct srv_peer *previous, *next;
};

struct srv_peers;

/* Purpose: starts the thread, which goes by the timeouts in app->config as they are at the time.
 * NULL: out of memory or threads. */
struct srv_peers *srv_peers_create(const struct srv_app *app);
/* Purpose: joins the thread. No peer may be left. NULL is accepted. */
void srv_peers_destroy(struct srv_peers *peers);

/* Purpose: from accept to close; fd stays open in between. phase: HANDSHAKE or HEADERS. NULL: out
 * of memory. */
struct srv_peer *srv_peers_add(struct srv_peers *peers, int fd, const struct sockaddr *address,
                               enum srv_peer_phase phase);
void srv_peers_remove(struct srv_peers *peers, struct srv_peer *peer);

/* Purpose: notes what the peer does from now on. False: it was cut, and may have been told so;
 * nothing may be sent to it. */
bool srv_peer_enter(struct srv_peer *peer, enum srv_peer_phase phase, int64_t now_us);

/* Purpose: whether the watcher ended it for being late. */
bool srv_peer_was_cut(struct srv_peer *peer);

/* Purpose: what a client is told whose body takes too long: a whole answer of HTTP. Returns its
 * length. */
size_t srv_peer_timeout_reply(const struct srv_peer *peer, char reply[SRV_TIMEOUT_REPLY_BYTES]);

#endif
