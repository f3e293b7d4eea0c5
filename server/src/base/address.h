/* "HOST:PORT" or "unix:/PATH" taken apart. */
#ifndef SRV_BASE_ADDRESS_H
#define SRV_BASE_ADDRESS_H

#include "engine/status.h"

#include <stdbool.h>

enum { SRV_UNIX_PATH_CHARS = 107 }; /* what struct sockaddr_un holds */

struct srv_address {
    char host[256]; /* without the brackets of an IPv6 address; "" = every interface */
    char port[8];
    char path[SRV_UNIX_PATH_CHARS + 1]; /* of a Unix socket, absolute; then host and port are "" */
};

/*
 * Purpose: splits "127.0.0.1:8080", "[::1]:0", ":8080", "localhost:8080", "unix:/PATH".
 * Errors: ARGUMENT naming text and what is wanted.
 */
enum eng_status srv_address_parse(const char *text, struct srv_address *out, struct eng_error *err);

/* Purpose: true if only this machine can reach it: localhost, 127.0.0.0/8, ::1, a Unix socket. */
bool srv_address_is_loopback(const struct srv_address *address);

#endif
