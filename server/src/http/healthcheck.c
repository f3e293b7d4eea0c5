#include "http/http.h"

#include "base/address.h"
#include "base/fail.h"

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
    struct srv_address address;
    char path[256];
};

static enum eng_status parse_target(const char *text, struct target *out, struct eng_error *err)
{
    static const char scheme[] = "http://";
    const char *host =
        strncasecmp(text, scheme, strlen(scheme)) == 0 ? text + strlen(scheme) : text;
    size_t n = strcspn(host, "/");
    char address[sizeof out->address.host + sizeof out->address.port + 4];
    if (n >= sizeof address || strlen(host + n) >= sizeof out->path || strpbrk(host, " \r\n"))
        return srv_fail(err, ENG_ARGUMENT, "\"%.200s\" is no URL to check", text);
    memcpy(address, host, n);
    address[n] = '\0';
    strcpy(out->path, host[n] ? host + n : "/readyz");
    enum eng_status status = srv_address_parse(address, &out->address, err);
    if (status != ENG_OK) return status;
    /* What listens on every interface is asked on this machine's own. */
    if (!out->address.host[0] || strcmp(out->address.host, "0.0.0.0") == 0)
        strcpy(out->address.host, "127.0.0.1");
    if (strcmp(out->address.host, "::") == 0) strcpy(out->address.host, "::1");
    return ENG_OK;
}

/* A socket that gives up after PATIENCE_S; -1 with errno set. */
static int connect_to(const struct addrinfo *list)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    for (const struct addrinfo *info = list; info; info = info->ai_next) {
        int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, info->ai_addr, info->ai_addrlen) == 0) return fd;
        int reason = errno;
        close(fd);
        errno = reason;
    }
    return -1;
}

static enum eng_status ask(int fd, const struct target *target, const char *text,
                           struct eng_error *err)
{
    char request[640], reply[64];
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target->path,
                     target->address.host);
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
        return srv_fail(err, ENG_IO, "%s: %s", text, strerror(errno));
    size_t n_read = 0;
    while (n_read < 12) {
        ssize_t got = recv(fd, reply + n_read, sizeof reply - 1 - n_read, 0);
        if (got <= 0)
            return srv_fail(err, ENG_IO, "%s: %s", text,
                            got == 0 ? "the connection ended without an answer" : strerror(errno));
        n_read += (size_t)got;
    }
    reply[n_read] = '\0';
    if (strncmp(reply, "HTTP/1.", 7) != 0 || strncmp(reply + 8, " 200", 4) != 0)
        return srv_fail(err, ENG_MISMATCH, "%s answers %.12s; wanted HTTP/1.1 200", text, reply);
    return ENG_OK;
}

enum eng_status srv_http_healthcheck(const char *text, struct eng_error *err)
{
    struct target target;
    enum eng_status status = parse_target(text, &target, err);
    if (status != ENG_OK) return status;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int failed = getaddrinfo(target.address.host, target.address.port, &hints, &list);
    if (failed) return srv_fail(err, ENG_IO, "%s: %s", text, gai_strerror(failed));
    int fd = connect_to(list);
    freeaddrinfo(list);
    if (fd < 0) return srv_fail(err, ENG_IO, "%s: %s", text, strerror(errno));
    status = ask(fd, &target, text, err);
    close(fd);
    return status;
}
