#include "http/tls.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/small_file.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PEM_BYTES = 1 << 20 };

/* One certificate and its key. Lives until the last connection that began with it has ended. */
struct srv_tls_pair {
    atomic_uint n_users;
    gnutls_certificate_credentials_t credentials;
};

struct srv_tls {
    const char *setting;
    struct srv_series *expiry;
    pthread_mutex_t mutex;        /* guards current */
    struct srv_tls_pair *current; /* counts as a user; NULL: none was taken yet */
};

struct pem {
    char *bytes;
    size_t n_bytes;
};

static void free_pem(struct pem *pem)
{
    if (pem->bytes) explicit_bzero(pem->bytes, pem->n_bytes);
    free(pem->bytes);
}

void srv_tls_release(struct srv_tls_pair *pair)
{
    if (!pair || atomic_fetch_sub(&pair->n_users, 1) > 1) return;
    gnutls_certificate_free_credentials(pair->credentials);
    free(pair);
}

static struct srv_tls_pair *make_pair(void)
{
    struct srv_tls_pair *pair = calloc(1, sizeof *pair);
    if (!pair) return NULL;
    atomic_init(&pair->n_users, 1);
    if (gnutls_certificate_allocate_credentials(&pair->credentials) == GNUTLS_E_SUCCESS)
        return pair;
    free(pair);
    return NULL;
}

/* The paths of a certificate and its key. */
struct paths {
    const char *certificate, *key;
};

static enum eng_status fail_pair(const struct srv_tls *tls, const struct paths *paths, int code,
                                 struct eng_error *err)
{
    if (code == GNUTLS_E_MEMORY_ERROR) return srv_fail_memory(err, tls->setting);
    return srv_fail(err, ENG_FORMAT,
                    "%s %s with the key %s: %s; wanted a certificate in PEM, the chain behind it, "
                    "and its own key in PEM, not encrypted",
                    tls->setting, paths->certificate, paths->key, gnutls_strerror(code));
}

static enum eng_status read_pair(const struct srv_tls *tls, const struct paths *paths,
                                 struct srv_tls_pair *pair, struct eng_error *err)
{
    struct pem certificate = {0}, key = {0};
    enum eng_status status = srv_small_file_read(tls->setting, paths->certificate, MAX_PEM_BYTES,
                                                 &certificate.bytes, &certificate.n_bytes, err);
    if (status == ENG_OK)
        status = srv_small_file_read("the key of that certificate", paths->key, MAX_PEM_BYTES,
                                     &key.bytes, &key.n_bytes, err);
    if (status == ENG_OK) {
        const gnutls_datum_t certificate_text = {(unsigned char *)certificate.bytes,
                                                 (unsigned)certificate.n_bytes};
        const gnutls_datum_t key_text = {(unsigned char *)key.bytes, (unsigned)key.n_bytes};
        int code = gnutls_certificate_set_x509_key_mem2(pair->credentials, &certificate_text,
                                                        &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0) status = fail_pair(tls, paths, code, err);
    }
    free_pem(&certificate);
    free_pem(&key);
    return status;
}

/* When the certificate itself ends, in seconds since 1970; -1 if it does not say. */
static time_t expiry_of(const struct srv_tls_pair *pair)
{
    gnutls_datum_t der;
    gnutls_x509_crt_t certificate;
    time_t expiry = -1;
    if (gnutls_certificate_get_crt_raw(pair->credentials, 0, 0, &der) != GNUTLS_E_SUCCESS ||
        gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
        return expiry;
    if (gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS)
        expiry = gnutls_x509_crt_get_expiration_time(certificate);
    gnutls_x509_crt_deinit(certificate);
    return expiry;
}

static enum eng_status prepare(void *ctx, const char *certificate, const char *key, void **prepared,
                               struct eng_error *err)
{
    const struct srv_tls *tls = ctx;
    const struct paths paths = {certificate, key};
    struct srv_tls_pair *pair = make_pair();
    if (!pair) return srv_fail_memory(err, tls->setting);
    enum eng_status status = read_pair(tls, &paths, pair, err);
    if (status == ENG_OK)
        *prepared = pair;
    else
        srv_tls_release(pair);
    return status;
}

static void take(void *ctx, void *prepared)
{
    struct srv_tls *tls = ctx;
    if (prepared) srv_series_set(tls->expiry, (double)expiry_of(prepared));
    pthread_mutex_lock(&tls->mutex);
    struct srv_tls_pair *old = tls->current;
    tls->current = prepared;
    pthread_mutex_unlock(&tls->mutex);
    srv_tls_release(old);
}

static void drop(void *prepared)
{
    srv_tls_release(prepared);
}

const struct srv_watched_kind srv_tls_files = {prepare, take, drop};

struct srv_tls *srv_tls_create(const char *setting, struct srv_series *expiry)
{
    struct srv_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    pthread_mutex_init(&tls->mutex, NULL);
    tls->expiry = expiry;
    tls->setting = setting;
    return tls;
}

void srv_tls_destroy(struct srv_tls *tls)
{
    if (!tls) return;
    srv_tls_release(tls->current);
    pthread_mutex_destroy(&tls->mutex);
    free(tls);
}

/* The client's Finished: from here on it is a connection like every other. */
static int hands_are_shaken(gnutls_session_t session, unsigned type, unsigned when,
                            unsigned is_incoming, const gnutls_datum_t *message)
{
    (void)type, (void)when, (void)message;
    struct srv_peer *peer = gnutls_session_get_ptr(session);
    if (is_incoming) srv_peer_enter(peer, SRV_PEER_HEADERS, srv_clock_us());
    return GNUTLS_E_SUCCESS;
}

/*
 * In place of GnuTLS's own: while a body is awaited nothing else calls us on the connection's
 * thread, the only one that may encrypt. The watcher makes the socket readable.
 */
static ssize_t pull(gnutls_transport_ptr_t transport, void *bytes, size_t n_bytes)
{
    struct srv_peer *peer = transport;
    if (!srv_peer_was_cut(peer)) return recv(peer->fd, bytes, n_bytes, 0);
    if (atomic_exchange(&peer->is_owed_answer, false)) {
        char reply[SRV_TIMEOUT_REPLY_BYTES];
        size_t n = srv_peer_timeout_reply(peer, reply);
        /* A client that does not read gets the end of the connection only. */
        if (gnutls_record_send(peer->session, reply, n) == (ssize_t)n)
            gnutls_bye(peer->session, GNUTLS_SHUT_WR);
    }
    return 0;
}

static void set_pull(gnutls_session_t session, struct srv_peer *peer)
{
    gnutls_transport_ptr_t receive, send;
    gnutls_transport_get_ptr2(session, &receive, &send);
    gnutls_transport_set_ptr2(session, peer, send);
    gnutls_transport_set_pull_function(session, pull);
}

struct srv_tls_pair *srv_tls_begin(struct srv_tls *tls, struct MHD_Connection *connection,
                                   struct srv_peer *peer)
{
    gnutls_session_t session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    pthread_mutex_lock(&tls->mutex);
    struct srv_tls_pair *pair = tls->current;
    if (pair) atomic_fetch_add(&pair->n_users, 1);
    pthread_mutex_unlock(&tls->mutex);
    if (!pair) return NULL;
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, pair->credentials) !=
        GNUTLS_E_SUCCESS) {
        srv_tls_release(pair);
        return NULL;
    }
    gnutls_session_set_ptr(session, peer);
    peer->session = session;
    set_pull(session, peer);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       hands_are_shaken);
    return pair;
}

static int no_certificate(gnutls_session_t session, const gnutls_datum_t *names, int n_names,
                          const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                          gnutls_pcert_st **certificates, unsigned *n_certificates,
                          gnutls_privkey_t *key)
{
    (void)session, (void)names, (void)n_names, (void)algorithms, (void)n_algorithms;
    (void)certificates, (void)n_certificates, (void)key;
    return -1;
}

void *srv_tls_no_certificate(void)
{
    return (void *)(uintptr_t)no_certificate;
}
