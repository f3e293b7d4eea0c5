/* The client's end of TLS, for asking a daemon whether it is ready. tls_client.c is a home of
 * GnuTLS. */
#ifndef SRV_HTTP_TLS_CLIENT_H
#define SRV_HTTP_TLS_CLIENT_H

#include "engine/status.h"

#include <stddef.h>
#include <sys/types.h>

struct srv_tls_client;

/*
 * Purpose: shakes hands over the connected, blocking socket fd within patience_ms. Who answers is
 * not proven: no secret is to be sent, and nothing that is read is to be trusted. host is what the
 * server is asked for. Ownership: fd is borrowed; end with srv_tls_client_end. Errors: IO with the
 * reason, NO_MEMORY.
 */
enum eng_status srv_tls_client_begin(int fd, const char *host, unsigned patience_ms,
                                     struct srv_tls_client **out, struct eng_error *err);
/* NULL is accepted. */
void srv_tls_client_end(struct srv_tls_client *client);

/* Purpose: as send and recv: bytes moved, 0 at the end, -1 with errno set. */
ssize_t srv_tls_client_send(struct srv_tls_client *client, const void *bytes, size_t n_bytes);
ssize_t srv_tls_client_receive(struct srv_tls_client *client, void *bytes, size_t n_bytes);

#endif
