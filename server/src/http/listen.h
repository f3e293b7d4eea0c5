/* A bound, listening socket. */
#ifndef SRV_HTTP_LISTEN_H
#define SRV_HTTP_LISTEN_H

#include "base/address.h"
#include "engine/status.h"

#include <sys/types.h>

struct srv_listening {
    int fd; /* -1: closed */
    char url[128];
    char path[SRV_UNIX_PATH_CHARS + 1]; /* of a Unix socket, else "" */
    dev_t device;                       /* the file at path */
    ino_t inode;
};

/*
 * Purpose: binds and listens, and says where as a URL of the scheme ("unix:/PATH" of a Unix
 * socket). IPv6's "::", and no host at all, take IPv4 clients too. A Unix socket may only be used
 * by its owner (mode 0600); one that another process left behind is replaced, one that answers is
 * not. Ownership: end with srv_listen_close. Errors: ARGUMENT, IO naming the address and the
 * reason.
 */
enum eng_status srv_listen_open(const char *address, const char *scheme, struct srv_listening *out,
                                struct eng_error *err);

/* Purpose: closes it, and removes the file of a Unix socket if it is still this one's. Closed twice
 * is closed. */
void srv_listen_close(struct srv_listening *listening);

#endif
