/*
 * The certificate and key with which a listener speaks TLS 1.2 and 1.3, read again while it does.
 * tls.c is a home of GnuTLS. libmicrohttpd shakes hands and encrypts; we give each new connection
 * the credentials of its moment.
 */
#ifndef SRV_HTTP_TLS_H
#define SRV_HTTP_TLS_H

#include "base/metrics.h"
#include "http/peers.h"

#include <microhttpd.h>

/* What libmicrohttpd is to agree on with clients, in GnuTLS's words. */
#define SRV_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

struct srv_tls;

/*
 * Purpose: reads a certificate (PEM, the chain behind it) and its key (PEM, not encrypted). setting
 * names them in errors; expiry is set to when the certificate ends. Ownership: copies the texts,
 * borrows expiry; end with srv_tls_destroy. Errors: of srv_tls_load.
 */
enum eng_status srv_tls_create(const char *setting, const char *certificate_path,
                               const char *key_path, struct srv_series *expiry,
                               struct srv_tls **out, struct eng_error *err);
/* Purpose: the listener is stopped. NULL is accepted. */
void srv_tls_destroy(struct srv_tls *tls);

/* Purpose: reads both again, for connections from now on; fits srv_watched.load. On an error the
 * old ones stay. Errors: IO, LIMIT, FORMAT (no PEM, the two do not belong together), NO_MEMORY.
 * Threads: one at a time, beside srv_tls_begin. */
enum eng_status srv_tls_load(void *tls, struct eng_error *err);

/*
 * Purpose: equips a connection that has just been accepted, before it shakes hands; the peer's
 * phase becomes HEADERS when hands are shaken. The result is to be released when the connection is
 * closed. NULL: out of memory, hands will not be shaken.
 */
struct srv_tls_pair *srv_tls_begin(struct srv_tls *tls, struct MHD_Connection *connection,
                                   struct srv_peer *peer);
void srv_tls_release(struct srv_tls_pair *pair);

/* Purpose: for MHD_OPTION_HTTPS_CERT_CALLBACK: the answer for a connection that was not equipped,
 * which is none. The pointer is one to a gnutls_certificate_retrieve_function2. */
void *srv_tls_no_certificate(void);

#endif
