#include "http/tls_client.h"

#include "base/fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct srv_tls_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

/* A number is no name that a server can be asked for (RFC 6066, 3). */
static bool is_name(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) != 1 && inet_pton(AF_INET6, host, &address) != 1;
}

static int make_session(struct srv_tls_client *client, const char *host)
{
    int code = gnutls_certificate_allocate_credentials(&client->credentials);
    if (code == GNUTLS_E_SUCCESS) code = gnutls_init(&client->session, GNUTLS_CLIENT);
    if (code == GNUTLS_E_SUCCESS) code = gnutls_set_default_priority(client->session);
    if (code == GNUTLS_E_SUCCESS)
        code = gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    if (code == GNUTLS_E_SUCCESS && is_name(host))
        code = gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, host, strlen(host));
    return code;
}

enum eng_status srv_tls_client_begin(int fd, const char *host, unsigned patience_ms,
                                     struct srv_tls_client **out, struct eng_error *err)
{
    struct srv_tls_client *client = calloc(1, sizeof *client);
    if (!client) return srv_fail_memory(err, "a TLS connection");
    int code = make_session(client, host);
    if (code == GNUTLS_E_SUCCESS) {
        gnutls_transport_set_int(client->session, fd);
        gnutls_handshake_set_timeout(client->session, patience_ms);
        do
            code = gnutls_handshake(client->session);
        while (code == GNUTLS_E_INTERRUPTED);
    }
    if (code == GNUTLS_E_SUCCESS) {
        *out = client;
        return ENG_OK;
    }
    srv_tls_client_end(client);
    return srv_fail(err, ENG_IO, "no TLS handshake with %s: %s", host, gnutls_strerror(code));
}

void srv_tls_client_end(struct srv_tls_client *client)
{
    if (!client) return;
    if (client->session) gnutls_deinit(client->session);
    if (client->credentials) gnutls_certificate_free_credentials(client->credentials);
    free(client);
}

static ssize_t result_of(ssize_t code)
{
    if (code >= 0) return code;
    if (code == GNUTLS_E_PREMATURE_TERMINATION) return 0;
    errno = code == GNUTLS_E_AGAIN ? EAGAIN : EPROTO;
    return -1;
}

ssize_t srv_tls_client_send(struct srv_tls_client *client, const void *bytes, size_t n_bytes)
{
    ssize_t code;
    do
        code = gnutls_record_send(client->session, bytes, n_bytes);
    while (code == GNUTLS_E_INTERRUPTED);
    return result_of(code);
}

ssize_t srv_tls_client_receive(struct srv_tls_client *client, void *bytes, size_t n_bytes)
{
    ssize_t code;
    do
        code = gnutls_record_recv(client->session, bytes, n_bytes);
    while (code == GNUTLS_E_INTERRUPTED);
    return result_of(code);
}
