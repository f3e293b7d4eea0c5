#include "base/address.h"

#include "base/fail.h"

#include <arpa/inet.h>
#include <string.h>

static enum eng_status bad(const char *text, const char *why, struct eng_error *err)
{
    return srv_fail(err, ENG_ARGUMENT,
                    "\"%.200s\" is no address: %s; wanted HOST:PORT, such as 127.0.0.1:8080 or "
                    "[::1]:8080",
                    text, why);
}

static const char unix_scheme[] = "unix:";

static enum eng_status parse_path(const char *text, struct srv_address *out, struct eng_error *err)
{
    struct srv_address address = {0};
    const char *path = text + strlen(unix_scheme);
    size_t n = strlen(path);
    if (path[0] != '/' || path[n - 1] == '/' || n > SRV_UNIX_PATH_CHARS)
        return srv_fail(err, ENG_ARGUMENT,
                        "\"%.200s\" is no Unix socket; wanted unix:/PATH, absolute and of at most "
                        "%d characters",
                        text, SRV_UNIX_PATH_CHARS);
    strcpy(address.path, path);
    *out = address;
    return ENG_OK;
}

static bool is_port(const char *text)
{
    unsigned value = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || p - text >= 5) return false;
        value = value * 10 + (unsigned)(*p - '0');
    }
    return *text && value <= 65535;
}

enum eng_status srv_address_parse(const char *text, struct srv_address *out, struct eng_error *err)
{
    if (strncmp(text, unix_scheme, strlen(unix_scheme)) == 0) return parse_path(text, out, err);
    struct srv_address address = {0};
    const char *colon = strrchr(text, ':');
    if (!colon) return bad(text, "there is no port", err);
    if (!is_port(colon + 1)) return bad(text, "the port is no number from 0 to 65535", err);
    const char *host = text;
    size_t n = (size_t)(colon - text);
    if (n > 0 && host[0] == '[') {
        if (host[n - 1] != ']') return bad(text, "the bracket is not closed", err);
        host++;
        n -= 2;
    } else if (memchr(host, ':', n)) {
        return bad(text, "an IPv6 address stands in brackets", err);
    }
    if (n >= sizeof address.host) return bad(text, "the host is too long", err);
    memcpy(address.host, host, n);
    strcpy(address.port, colon + 1);
    *out = address;
    return ENG_OK;
}

bool srv_address_is_loopback(const struct srv_address *address)
{
    if (address->path[0]) return true;
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address->host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address->host, &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(address->host, "localhost") == 0;
}
