/* A bound, listening socket. */
#ifndef SRV_HTTP_LISTEN_H
#define SRV_HTTP_LISTEN_H

#include "engine/status.h"

#include <stddef.h>

/* Purpose: binds and listens, and says where as a URL. Ownership: the caller closes *fd.
 * Errors: ARGUMENT, IO naming the address and the reason. */
enum eng_status srv_listen_open(const char *address, int *fd, char *url, size_t n_url,
                                struct eng_error *err);

#endif
