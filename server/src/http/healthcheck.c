#include "http/http.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/fail.h"
#include "http/listen_unix.h"
#include "http/tls_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 4 };

struct target {
    const char *text; /* as it was given */
    struct srv_address address;
    char path[256];
    bool is_tls;
};

/* The way to the daemon that is asked. */
struct channel {
    int fd;
    int64_t until_us;           /* of srv_clock_us: then it is given up */
    struct srv_tls_client *tls; /* NULL: plain */
};

static bool take_scheme(const char **text, const char *scheme)
{
    if (strncasecmp(*text, scheme, strlen(scheme)) != 0) return false;
    *text += strlen(scheme);
    return true;
}

/* Where the path begins: behind the host; a Unix socket is all there is. */
static size_t address_chars(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? strlen(address) : strcspn(address, "/");
}

static enum eng_status parse_target(const char *text, struct target *out, struct eng_error *err)
{
    struct target target = {.text = text};
    const char *host = text;
    target.is_tls = take_scheme(&host, "https://");
    if (!target.is_tls) take_scheme(&host, "http://");
    size_t n = address_chars(host);
    char address[sizeof target.address.host + sizeof target.address.port + 4];
    if (n >= sizeof address || strlen(host + n) >= sizeof target.path || strpbrk(host, " \r\n"))
        return srv_fail(err, ENG_ARGUMENT, "\"%.200s\" is no URL to check", text);
    memcpy(address, host, n);
    address[n] = '\0';
    strcpy(target.path, host[n] ? host + n : "/readyz");
    enum eng_status status = srv_address_parse(address, &target.address, err);
    if (status != ENG_OK) return status;
    /* What listens on every interface is asked on this machine's own. */
    if (!target.address.host[0] || strcmp(target.address.host, "0.0.0.0") == 0)
        strcpy(target.address.host, "127.0.0.1");
    if (strcmp(target.address.host, "::") == 0) strcpy(target.address.host, "::1");
    *out = target;
    return ENG_OK;
}

static void limit_patience(int fd, int64_t patience_us)
{
    const struct timeval patience = {.tv_sec = patience_us / 1000000,
                                     .tv_usec = patience_us % 1000000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* A socket that gives up after PATIENCE_S; -1 with errno set. */
static int connect_to(const struct addrinfo *list)
{
    for (const struct addrinfo *info = list; info; info = info->ai_next) {
        int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        limit_patience(fd, PATIENCE_S * 1000000);
        if (connect(fd, info->ai_addr, info->ai_addrlen) == 0) return fd;
        int reason = errno;
        close(fd);
        errno = reason;
    }
    return -1;
}

static ssize_t send_some(const struct channel *channel, const char *bytes, size_t n_bytes)
{
    if (channel->tls) return srv_tls_client_send(channel->tls, bytes, n_bytes);
    return send(channel->fd, bytes, n_bytes, MSG_NOSIGNAL);
}

/* As recv; what drips in byte by byte does not prolong the wait. */
static ssize_t receive_some(const struct channel *channel, char *bytes, size_t n_bytes)
{
    int64_t left_us = channel->until_us - srv_clock_us();
    if (left_us <= 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    limit_patience(channel->fd, left_us);
    if (channel->tls) return srv_tls_client_receive(channel->tls, bytes, n_bytes);
    return recv(channel->fd, bytes, n_bytes, 0);
}

/* The Host field: as RFC 9110 wants it, and for a Unix socket what can only be this machine. */
static void write_host(const struct srv_address *address, char *text, size_t n_bytes)
{
    bool is_v6 = strchr(address->host, ':');
    if (address->path[0])
        snprintf(text, n_bytes, "localhost");
    else
        snprintf(text, n_bytes, "%s%s%s:%s", is_v6 ? "[" : "", address->host, is_v6 ? "]" : "",
                 address->port);
}

static enum eng_status fail_receive(const struct target *target, ssize_t got, struct eng_error *err)
{
    if (got == 0)
        return srv_fail(err, ENG_IO, "%s: the connection ended without an answer", target->text);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETIMEDOUT)
        return srv_fail(err, ENG_IO, "%s: no answer within %d s", target->text, PATIENCE_S);
    return srv_fail(err, ENG_IO, "%s: %s", target->text, strerror(errno));
}

static enum eng_status ask(const struct channel *channel, const struct target *target,
                           struct eng_error *err)
{
    char request[640], reply[64],
        host[sizeof target->address.host + sizeof target->address.port + 4];
    write_host(&target->address, host, sizeof host);
    int n =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target->path, host);
    if (send_some(channel, request, (size_t)n) != n)
        return srv_fail(err, ENG_IO, "%s: %s", target->text, strerror(errno));
    size_t n_read = 0;
    while (n_read < 12) {
        ssize_t got = receive_some(channel, reply + n_read, sizeof reply - 1 - n_read);
        if (got <= 0) return fail_receive(target, got, err);
        n_read += (size_t)got;
    }
    reply[n_read] = '\0';
    if (strncmp(reply, "HTTP/1.", 7) != 0 || strncmp(reply + 8, " 200", 4) != 0)
        return srv_fail(err, ENG_MISMATCH, "%s answers %.12s; wanted HTTP/1.1 200", target->text,
                        reply);
    return ENG_OK;
}

static enum eng_status open_socket(const struct target *target, int *fd, struct eng_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    if (target->address.path[0]) {
        *fd = srv_unix_connect(target->address.path, PATIENCE_S);
    } else {
        int failed = getaddrinfo(target->address.host, target->address.port, &hints, &list);
        if (failed) return srv_fail(err, ENG_IO, "%s: %s", target->text, gai_strerror(failed));
        *fd = connect_to(list);
        freeaddrinfo(list);
    }
    if (*fd < 0) return srv_fail(err, ENG_IO, "%s: %s", target->text, strerror(errno));
    return ENG_OK;
}

enum eng_status srv_http_healthcheck(const char *text, struct eng_error *err)
{
    struct target target;
    struct channel channel = {.fd = -1, .until_us = srv_clock_us() + PATIENCE_S * 1000000};
    enum eng_status status = parse_target(text, &target, err);
    if (status == ENG_OK) status = open_socket(&target, &channel.fd, err);
    if (status != ENG_OK) return status;
    if (target.is_tls)
        status = srv_tls_client_begin(channel.fd, target.address.host, PATIENCE_S * 1000,
                                      &channel.tls, err);
    if (status == ENG_OK) status = ask(&channel, &target, err);
    srv_tls_client_end(channel.tls);
    close(channel.fd);
    return status;
}
