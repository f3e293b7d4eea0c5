#include "http/listen.h"

#include "base/address.h"
#include "base/fail.h"

#include <errno.h>
#include <netdb.h>
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
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static void format_url(int fd, char *url, size_t n_url)
{
    struct sockaddr_storage bound;
    socklen_t n = sizeof bound;
    char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &n) == 0)
        getnameinfo((struct sockaddr *)&bound, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    const char *brackets = strchr(host, ':') ? "[]" : "";
    snprintf(url, n_url, "http://%.1s%s%s:%s", brackets, host, brackets[0] ? "]" : "", port);
}

enum eng_status srv_listen_open(const char *address, int *fd, char *url, size_t n_url,
                                struct eng_error *err)
{
    struct srv_address parsed;
    enum eng_status status = srv_address_parse(address, &parsed, err);
    if (status != ENG_OK) return status;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    int failed = getaddrinfo(parsed.host[0] ? parsed.host : NULL, parsed.port, &hints, &list);
    if (failed)
        return srv_fail(err, ENG_ARGUMENT, "cannot listen on %s: %s", address,
                        gai_strerror(failed));
    int opened = -1;
    for (const struct addrinfo *info = list; info && opened < 0; info = info->ai_next)
        opened = open_one(info);
    int reason = errno;
    freeaddrinfo(list);
    if (opened < 0)
        return srv_fail(err, ENG_IO, "cannot listen on %s: %s", address, strerror(reason));
    format_url(opened, url, n_url);
    *fd = opened;
    return ENG_OK;
}
