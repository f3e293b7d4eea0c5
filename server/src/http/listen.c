#include "http/listen.h"

#include "base/fail.h"
#include "http/listen_unix.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Returns the socket or -1 with errno set. */
static int open_one(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int yes = 1, no = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (info->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static void format_url(int fd, const char *scheme, char *url, size_t n_url)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char host[64] = "?", port[NI_MAXSERV] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &n) == 0)
        getnameinfo((struct sockaddr *)&bound, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    const char *brackets = strchr(host, ':') ? "[]" : "";
    snprintf(url, n_url, "%s://%.1s%s%s:%.6s", scheme, brackets, host, brackets[0] ? "]" : "",
             port);
}

/* Of the addresses of a host the first that can be had. Without a host that is "::" for both kinds
 * of clients, where there is IPv6. */
static int open_first(const struct addrinfo *list, bool is_any)
{
    int opened = -1;
    for (const struct addrinfo *info = list; is_any && info && opened < 0; info = info->ai_next)
        if (info->ai_family == AF_INET6) opened = open_one(info);
    for (const struct addrinfo *info = list; info && opened < 0; info = info->ai_next)
        opened = open_one(info);
    return opened;
}

static enum eng_status open_address(const char *address, const struct srv_address *parsed,
                                    const char *scheme, struct srv_listening *out,
                                    struct eng_error *err)
{
    bool is_any = parsed->host[0] == '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int failed = getaddrinfo(is_any ? NULL : parsed->host, parsed->port, &hints, &list);
    if (failed)
        return srv_fail(err, ENG_ARGUMENT, "cannot listen on %s: %s", address,
                        gai_strerror(failed));
    int fd = open_first(list, is_any);
    int reason = errno;
    freeaddrinfo(list);
    if (fd < 0) return srv_fail(err, ENG_IO, "cannot listen on %s: %s", address, strerror(reason));
    *out = (struct srv_listening){.fd = fd};
    format_url(fd, scheme, out->url, sizeof out->url);
    return ENG_OK;
}

enum eng_status srv_listen_open(const char *address, const char *scheme, struct srv_listening *out,
                                struct eng_error *err)
{
    struct srv_address parsed;
    enum eng_status status = srv_address_parse(address, &parsed, err);
    if (status != ENG_OK) return status;
    if (parsed.path[0]) return srv_listen_open_unix(parsed.path, BACKLOG, out, err);
    return open_address(address, &parsed, scheme, out, err);
}

void srv_listen_close(struct srv_listening *listening)
{
    if (listening->fd < 0) return;
    if (listening->path[0]) srv_listen_remove_unix(listening);
    close(listening->fd);
    listening->fd = -1;
}
