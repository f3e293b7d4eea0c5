/*
 * The certificate and key with which a listener speaks TLS 1.2 and 1.3, read again while it does.
 * tls.c is a home of GnuTLS. libmicrohttpd shakes hands and encrypts; we give each new connection
 * the credentials of its moment.
 */
#ifndef SRV_HTTP_TLS_H
#define SRV_HTTP_TLS_H

#include "base/metrics.h"
#include "base/watched.h"
#include "http/peers.h"

#include <microhttpd.h>

/* What libmicrohttpd is to agree on with clients, in GnuTLS's words: of TLS 1.2 too only ciphers
 * that authenticate (AEAD), with keys that are gone afterwards. */
#define SRV_TLS_PRIORITIES                                                               \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-256-GCM:" \
    "+CHACHA20-POLY1305:+AES-128-GCM:%SERVER_PRECEDENCE"

struct srv_tls;

/* Purpose: a listener's, which has no certificate before one is taken. setting names it in errors;
 * expiry is set to when the certificate ends. Ownership: borrows both; end with srv_tls_destroy.
 * NULL: out of memory. */
struct srv_tls *srv_tls_create(const char *setting, struct srv_series *expiry);
/* Purpose: the listener is stopped. NULL is accepted. */
void srv_tls_destroy(struct srv_tls *tls);

/* How a struct srv_tls, the ctx, gets what new connections begin with: from a certificate (PEM, the
 * chain behind it) and its key (PEM, not encrypted). Errors: IO, LIMIT, FORMAT (no PEM, the two do
 * not belong together) naming setting and files, NO_MEMORY. Beside srv_tls_begin. */
extern const struct srv_watched_kind srv_tls_files;

/*
 * Purpose: equips a connection that has just been accepted, before it shakes hands; the peer's
 * phase becomes HEADERS when hands are shaken. The result is to be released when the connection is
 * closed. NULL: out of memory or no certificate, hands will not be shaken.
 */
struct srv_tls_pair *srv_tls_begin(struct srv_tls *tls, struct MHD_Connection *connection,
                                   struct srv_peer *peer);
void srv_tls_release(struct srv_tls_pair *pair);

/* Purpose: for MHD_OPTION_HTTPS_CERT_CALLBACK: the answer for a connection that was not equipped,
 * which is none. The pointer is one to a gnutls_certificate_retrieve_function2. */
void *srv_tls_no_certificate(void);

#endif
