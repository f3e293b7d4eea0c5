/* The listeners: their life, and that of their connections. */
#include "http/http.h"

#include "base/clock.h"
#include "base/fail.h"
#include "http/exchange.h"
#include "http/listen.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void notify_connection(void *cls, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode what)
{
    struct srv_http *http = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const struct sockaddr *address =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
        struct srv_peer *peer = srv_peers_add(http->peers, fd, address,
                                              http->tls ? SRV_PEER_HANDSHAKE : SRV_PEER_HEADERS);
        if (peer && http->tls) peer->tls = srv_tls_begin(http->tls, connection, peer);
        *context = peer;
        return;
    }
    atomic_fetch_sub(&http->n_connections, 1);
    struct srv_peer *peer = *context;
    *context = NULL;
    if (!peer) return;
    srv_tls_release(peer->tls);
    srv_peers_remove(http->peers, peer);
}

static void log_line(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void log_line(void *cls, const char *format, va_list args)
{
    struct srv_http *http = cls;
    char text[256];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    const struct srv_log_field field = {.key = "text", .text = text};
    srv_log_write(http->app->log, SRV_LOG_DEBUG, "libmicrohttpd", &field, 1);
}

static enum eng_status start_daemon(struct srv_http *http, int n_threads, struct eng_error *err)
{
    const struct srv_config *config = http->app->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_TURBO | MHD_USE_ERROR_LOG | MHD_USE_NO_LISTEN_SOCKET |
                     (http->tls ? MHD_USE_TLS : 0u);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_line, http},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)config->max_header_bytes, NULL},
        /* Shared out among the threads, and never to be met: see srv_acceptor_start. */
        {MHD_OPTION_CONNECTION_LIMIT, INT_MAX, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)srv_handle_uri, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)srv_handle_end, http},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify_connection, http},
        /* What this would refuse srv_headers_check does: libmicrohttpd answers in HTML, a missing
         * Host with its headers twice. */
        {MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
        {n_threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, n_threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)SRV_TLS_PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, srv_tls_no_certificate()},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, srv_handle, http, MHD_OPTION_ARRAY,
                                    options, http->tls ? MHD_OPTION_ARRAY : MHD_OPTION_END,
                                    tls_options, MHD_OPTION_END);
    if (!http->daemon)
        return srv_fail(err, ENG_IO, "libmicrohttpd could not start %d threads on %s", n_threads,
                        http->listening.url);
    return ENG_OK;
}

static void free_http(struct srv_http *http)
{
    srv_acceptor_stop(http->acceptor);
    srv_listen_close(&http->listening);
    if (http->daemon) MHD_stop_daemon(http->daemon);
    srv_peers_destroy(http->peers);
    srv_rate_limit_destroy(http->rate_limit);
    srv_exchange_pool_fini(&http->pool);
    srv_record_fini(http);
    free(http);
}

static enum eng_status make_http(struct srv_app *app, enum srv_listener listener,
                                 struct srv_http **out, struct eng_error *err)
{
    struct srv_http *http = calloc(1, sizeof *http);
    if (!http) return srv_fail_memory(err, "a listener");
    http->app = app;
    http->listener = listener;
    http->listening.fd = -1;
    pthread_mutex_init(&http->pool.mutex, NULL);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_init(&http->next_id, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
    srv_trace_seed(http);
    enum eng_status status = srv_record_init(http, err);
    if (status == ENG_OK) http->peers = srv_peers_create(app);
    if (status == ENG_OK && !http->peers)
        status = srv_fail_memory(err, "the watch over connections");
    if (status == ENG_OK && listener == SRV_PUBLIC && !(http->rate_limit = srv_rate_limit_create()))
        status = srv_fail_memory(err, "the limits of clients");
    if (status == ENG_OK)
        *out = http;
    else
        free_http(http);
    return status;
}

enum eng_status srv_http_start(struct srv_app *app, enum srv_listener listener, const char *address,
                               struct srv_tls *tls, int n_threads, struct srv_http **out,
                               struct eng_error *err)
{
    struct srv_http *http = NULL;
    enum eng_status status = make_http(app, listener, &http, err);
    if (status != ENG_OK) return status;
    http->tls = tls;
    status = srv_listen_open(address, tls ? "https" : "http", &http->listening, err);
    if (status == ENG_OK) status = start_daemon(http, n_threads, err);
    if (status == ENG_OK)
        status = srv_acceptor_start(app, http->listening.fd, http->daemon, &http->n_connections,
                                    &http->acceptor, err);
    if (status == ENG_OK)
        *out = http;
    else
        free_http(http);
    return status;
}

const char *srv_http_url(const struct srv_http *http)
{
    return http->listening.url;
}

bool srv_http_drain(struct srv_http *http, int64_t timeout_ms)
{
    if (!http) return true;
    int64_t until_us = srv_clock_us() + timeout_ms * 1000;
    srv_acceptor_stop(http->acceptor);
    http->acceptor = NULL;
    srv_listen_close(&http->listening);
    for (;;) {
        if (atomic_load(&http->n_in_flight) == 0) {
            /* Open connections may still send: who counted itself before this is seen by the second
             * look, who does so after it is refused. */
            atomic_store(&http->closing, true);
            if (atomic_load(&http->n_in_flight) == 0) return true;
        }
        if (srv_clock_us() >= until_us) return false;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

void srv_http_stop(struct srv_http *http)
{
    if (http) free_http(http);
}
