/* The listeners: libmicrohttpd, its limits, suspend and resume. The only folder with microhttpd.h. */
#ifndef SRV_HTTP_HTTP_H
#define SRV_HTTP_HTTP_H

#include "api/app.h"
#include "api/routes.h"

struct srv_http;

/*
 * Purpose: opens one listener on address ("HOST:PORT", "[::1]:8080", port 0 = a free one) and serves the
 * rows of its kind on n_threads epoll threads.
 * Errors: ARGUMENT (address), IO (in use: the sentence says so), NO_MEMORY.
 */
enum eng_status srv_http_start(struct srv_app *app, enum srv_listener listener, const char *address,
                               int n_threads, struct srv_http **out, struct eng_error *err);

/* Purpose: the port that is really bound. */
unsigned srv_http_port(const struct srv_http *http);

/* Purpose: no new connections; returns when no request is in flight or the timeout has passed. */
bool srv_http_drain(struct srv_http *http, int timeout_ms);

/* Purpose: closes the listener and its connections. After srv_http_drain. */
void srv_http_stop(struct srv_http *http);

#endif
