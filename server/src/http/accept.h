/* Accepts connections and deals them out to the listener's threads in turn. */
#ifndef SRV_HTTP_ACCEPT_H
#define SRV_HTTP_ACCEPT_H

#include "api/app.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stddef.h>

struct srv_acceptor;

/*
 * Purpose: starts a thread that accepts on the listening socket fd and hands each connection to
 * the daemon, which runs with MHD_USE_NO_LISTEN_SOCKET. If its threads accepted for themselves, one
 * that is awake would take ten connections before another has got up: under load one thread served
 * all. libmicrohttpd chooses the thread by the connection's number, so they take turns.
 * n_connections is counted up here, and down by whoever hears that one has closed; beyond the
 * setting max_connections, as it is at the time, they are closed at once. libmicrohttpd's own limit
 * must be out of reach: in 0.9.75 a thread that meets it with a connection from outside keeps its
 * lock for ever. Ownership: app, fd and daemon are borrowed. Errors: NO_MEMORY, IO.
 */
enum eng_status srv_acceptor_start(const struct srv_app *app, int fd, struct MHD_Daemon *daemon,
                                   atomic_size_t *n_connections, struct srv_acceptor **out,
                                   struct eng_error *err);

/* Purpose: accepts no more; connections that stand go on. NULL is accepted.
 */
void srv_acceptor_stop(struct srv_acceptor *acceptor);

#endif
