/* The listeners: libmicrohttpd, its limits, suspend and resume. The only folder with microhttpd.h.
 */
#ifndef SRV_HTTP_HTTP_H
#define SRV_HTTP_HTTP_H

#include "api/app.h"
#include "api/routes.h"

struct srv_http;
struct srv_tls; /* http/tls.h */

/*
 * Purpose: opens one listener on address ("HOST:PORT", "[::1]:8080", port 0 = a free one,
 * "unix:/PATH") and serves the rows of its kind on n_threads epoll threads, encrypted if tls is not
 * NULL; it is borrowed. Errors: ARGUMENT (address), IO (in use: the sentence says so), NO_MEMORY.
 */
enum eng_status srv_http_start(struct srv_app *app, enum srv_listener listener, const char *address,
                               struct srv_tls *tls, int n_threads, struct srv_http **out,
                               struct eng_error *err);

/* Purpose: "http://127.0.0.1:43121", "https://...", "unix:/run/classifyd.sock": the address and
 * port that are really bound. Borrowed. */
const char *srv_http_url(const struct srv_http *http);

/* Purpose: no new connections; returns true when no request is in flight, and refuses those that
 * open connections send after that. False if the timeout passed first: then srv_http_stop must not
 * be called, for a request may still be resumed. */
bool srv_http_drain(struct srv_http *http, int64_t timeout_ms);

/* Purpose: closes the listener and its connections. After a srv_http_drain that returned true. */
void srv_http_stop(struct srv_http *http);

/*
 * Purpose: asks another daemon: GET target ("http://HOST:PORT/path", "https://..."), or /readyz of
 * "HOST:PORT", "unix:/PATH". Of a certificate only that there is one matters.
 * OK if it answers 200 within a few seconds. Errors: ARGUMENT, IO (no connection, no answer),
 * MISMATCH (another status, named).
 */
enum eng_status srv_http_healthcheck(const char *target, struct eng_error *err);

#endif
