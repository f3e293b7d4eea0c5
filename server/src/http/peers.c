#include "http/peers.h"

#include "api/app.h"
#include "base/clock.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { LOOK_EVERY_MS = 250 };

struct srv_peers {
    const struct srv_app *app;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below; a peer in the list has an open fd */
    pthread_cond_t wake;
    struct srv_peer *first;
    bool stopping;
};

size_t srv_peer_timeout_reply(const struct srv_peer *peer, char reply[SRV_TIMEOUT_REPLY_BYTES])
{
    char body[256];
    int n_body = snprintf(
        body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\",\"request_id\":\"%s\"}\n",
        srv_code_text(SRV_REQUEST_TIMEOUT), srv_code_wire(SRV_REQUEST_TIMEOUT), peer->request_id);
    int n = snprintf(reply, SRV_TIMEOUT_REPLY_BYTES,
                     "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: "
                     "application/json\r\nContent-Length: %d\r\nX-Request-Id: %s\r\n\r\n%s",
                     n_body, peer->request_id, body);
    return (size_t)n;
}

/* An answer from outside libmicrohttpd: it is reading, so nothing of it is on the way. */
static void say_timeout(const struct srv_peer *peer)
{
    char reply[SRV_TIMEOUT_REPLY_BYTES];
    size_t n = srv_peer_timeout_reply(peer, reply);
    ssize_t sent = send(peer->fd, reply, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; /* a client that does not read gets the end of the connection only */
}

/*
 * Whether the client has closed its side. libmicrohttpd notices by itself, but for one case: when
 * the end comes together with half a request it reads the bytes, takes the short read for all there
 * is and hears of nothing more until the idle timeout. While something is still to be read, the
 * thread just has not come to it: a client may end its side behind a whole request.
 */
static bool has_left(const struct srv_peer *peer)
{
    struct pollfd fd = {.fd = peer->fd, .events = POLLRDHUP};
    int n_unread = 0;
    if (poll(&fd, 1, 0) != 1) return false;
    if (fd.revents & (POLLERR | POLLHUP)) return true;
    return ioctl(peer->fd, FIONREAD, &n_unread) != 0 || n_unread == 0;
}

static int64_t timeout_of(const struct srv_peers *peers, enum srv_peer_phase phase)
{
    const struct srv_config *config = peers->app->config;
    if (phase == SRV_PEER_HANDSHAKE) return config->tls_handshake_timeout_s * 1000000;
    if (phase == SRV_PEER_BODY) return config->body_timeout_s * 1000000;
    return config->idle_timeout_s * 1000000;
}

/* Whether the client took something since the last look (tcp(7): TIOCOUTQ is SIOCOUTQ). Nothing on
 * its way is not its fault. */
static bool is_taking(struct srv_peer *peer)
{
    int n_unsent = 0, n_before = peer->n_unsent;
    if (ioctl(peer->fd, TIOCOUTQ, &n_unsent) != 0) return true;
    peer->n_unsent = n_unsent;
    return n_unsent == 0 || n_unsent != n_before;
}

static void cut_if_late_or_gone(const struct srv_peers *peers, struct srv_peer *peer,
                                int64_t now_us)
{
    enum srv_peer_phase phase = atomic_load_explicit(&peer->phase, memory_order_acquire);
    int64_t waited_us = now_us - atomic_load_explicit(&peer->since_us, memory_order_relaxed);
    int64_t limit_us = timeout_of(peers, phase);
    if (phase == SRV_PEER_BUSY || phase == SRV_PEER_CUT) return;
    if (phase == SRV_PEER_SENDING && is_taking(peer)) {
        atomic_store_explicit(&peer->since_us, now_us, memory_order_relaxed);
        return;
    }
    if (waited_us > limit_us) {
        /* Only from the phase that was looked at: its answer may be on the way by now. */
        enum srv_peer_phase seen = phase;
        bool is_owed = phase == SRV_PEER_BODY;
        atomic_store(&peer->is_owed_answer, is_owed);
        if (!atomic_compare_exchange_strong(&peer->phase, &seen, SRV_PEER_CUT)) return;
        /* Only the connection's own thread may encrypt: it hears of an end, see tls.c. */
        if (is_owed && !peer->tls) say_timeout(peer);
        shutdown(peer->fd, is_owed && peer->tls ? SHUT_RD : SHUT_RDWR);
    } else if (phase != SRV_PEER_SENDING && waited_us > LOOK_EVERY_MS * 1000 && has_left(peer)) {
        /* At the second look only: at the first the end, and a request before it, may be new. */
        if (peer->n_left_looks++ > 0) shutdown(peer->fd, SHUT_RDWR);
    }
}

static void *watch(void *argument)
{
    struct srv_peers *peers = argument;
    pthread_mutex_lock(&peers->mutex);
    while (!peers->stopping) {
        struct timespec until = srv_clock_after_ms(LOOK_EVERY_MS);
        pthread_cond_timedwait(&peers->wake, &peers->mutex, &until);
        int64_t now_us = srv_clock_us();
        for (struct srv_peer *peer = peers->first; peer; peer = peer->next)
            cut_if_late_or_gone(peers, peer, now_us);
    }
    pthread_mutex_unlock(&peers->mutex);
    return NULL;
}

static void free_peers(struct srv_peers *peers)
{
    pthread_cond_destroy(&peers->wake);
    pthread_mutex_destroy(&peers->mutex);
    free(peers);
}

struct srv_peers *srv_peers_create(const struct srv_app *app)
{
    struct srv_peers *peers = calloc(1, sizeof *peers);
    if (!peers) return NULL;
    peers->app = app;
    srv_clock_condition_init(&peers->wake);
    pthread_mutex_init(&peers->mutex, NULL);
    if (pthread_create(&peers->thread, NULL, watch, peers) == 0) return peers;
    free_peers(peers);
    return NULL;
}

void srv_peers_destroy(struct srv_peers *peers)
{
    if (!peers) return;
    pthread_mutex_lock(&peers->mutex);
    peers->stopping = true;
    pthread_cond_signal(&peers->wake);
    pthread_mutex_unlock(&peers->mutex);
    pthread_join(peers->thread, NULL);
    free_peers(peers);
}

/* An IPv4 client of a socket for both is named as it is elsewhere: without "::ffff:". */
static bool is_mapped(const struct sockaddr *address, struct sockaddr_in *v4)
{
    if (address->sa_family != AF_INET6) return false;
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    *v4 = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&v4->sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4->sin_addr);
    return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
}

/* Who is at the other end of a Unix socket, as the kernel knows it. */
static void name_process(struct srv_peer *peer)
{
    struct ucred who;
    socklen_t n = sizeof who;
    if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
        snprintf(peer->address, sizeof peer->address, "unix:uid:%lu:pid:%ld",
                 (unsigned long)who.uid, (long)who.pid);
    else
        strcpy(peer->address, "unix");
}

static void name_peer(struct srv_peer *peer, const struct sockaddr *address)
{
    struct sockaddr_in v4;
    strcpy(peer->address, "?");
    if (!address) return;
    if (address->sa_family == AF_UNIX) {
        name_process(peer);
        return;
    }
    socklen_t n = address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof v4;
    if (is_mapped(address, &v4)) {
        address = (const struct sockaddr *)&v4;
        n = sizeof v4;
    }
    if (getnameinfo(address, n, peer->address, sizeof peer->address, NULL, 0, NI_NUMERICHOST) != 0)
        strcpy(peer->address, "?");
}

struct srv_peer *srv_peers_add(struct srv_peers *peers, int fd, const struct sockaddr *address,
                               enum srv_peer_phase phase)
{
    struct srv_peer *peer = calloc(1, sizeof *peer);
    if (!peer) return NULL;
    peer->fd = fd;
    peer->client = srv_rate_client_of_address(address);
    name_peer(peer, address);
    srv_peer_enter(peer, phase, srv_clock_us());
    pthread_mutex_lock(&peers->mutex);
    peer->next = peers->first;
    if (peer->next) peer->next->previous = peer;
    peers->first = peer;
    pthread_mutex_unlock(&peers->mutex);
    return peer;
}

void srv_peers_remove(struct srv_peers *peers, struct srv_peer *peer)
{
    pthread_mutex_lock(&peers->mutex);
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        peers->first = peer->next;
    if (peer->next) peer->next->previous = peer->previous;
    pthread_mutex_unlock(&peers->mutex);
    free(peer);
}

bool srv_peer_enter(struct srv_peer *peer, enum srv_peer_phase phase, int64_t now_us)
{
    /* Time first: a new phase must not be measured from the old one's beginning. */
    atomic_store_explicit(&peer->since_us, now_us, memory_order_relaxed);
    enum srv_peer_phase seen = atomic_load_explicit(&peer->phase, memory_order_relaxed);
    while (seen != SRV_PEER_CUT)
        if (atomic_compare_exchange_weak(&peer->phase, &seen, phase)) return true;
    return false;
}

bool srv_peer_was_cut(struct srv_peer *peer)
{
    return atomic_load(&peer->phase) == SRV_PEER_CUT;
}
