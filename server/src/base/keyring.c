#include "base/keyring.h"

#include "base/fail.h"
#include "base/small_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20 };

struct srv_keyring {
    const char *setting;
    enum srv_keys_form form;
    atomic_bool asks;      /* whether there are keys */
    pthread_rwlock_t lock; /* guards keys */
    struct srv_keys *keys; /* NULL: asks nobody */
};

struct srv_keyring *srv_keyring_create(const char *setting, enum srv_keys_form form)
{
    struct srv_keyring *keyring = calloc(1, sizeof *keyring);
    if (!keyring) return NULL;
    pthread_rwlock_init(&keyring->lock, NULL);
    keyring->form = form;
    keyring->setting = setting;
    return keyring;
}

void srv_keyring_destroy(struct srv_keyring *keyring)
{
    if (!keyring) return;
    srv_keys_destroy(keyring->keys);
    pthread_rwlock_destroy(&keyring->lock);
    free(keyring);
}

static enum eng_status prepare(void *ctx, const char *path, const char *second, void **prepared,
                               struct eng_error *err)
{
    const struct srv_keyring *keyring = ctx;
    struct srv_keys *keys = NULL;
    char *text = NULL, where[512];
    size_t n_bytes = 0;
    (void)second;
    enum eng_status status =
        srv_small_file_read(keyring->setting, path, MAX_FILE_BYTES, &text, &n_bytes, err);
    if (status != ENG_OK) return status;
    snprintf(where, sizeof where, "%s %s", keyring->setting, path);
    status = srv_keys_parse(text, n_bytes, keyring->form, where, &keys, err);
    explicit_bzero(text, n_bytes); /* the plain form is the secret itself */
    free(text);
    if (status == ENG_OK) *prepared = keys;
    return status;
}

static void take(void *ctx, void *prepared)
{
    struct srv_keyring *keyring = ctx;
    pthread_rwlock_wrlock(&keyring->lock);
    struct srv_keys *old = keyring->keys;
    keyring->keys = prepared;
    atomic_store(&keyring->asks, prepared != NULL);
    pthread_rwlock_unlock(&keyring->lock);
    srv_keys_destroy(old);
}

static void drop(void *prepared)
{
    srv_keys_destroy(prepared);
}

const struct srv_watched_kind srv_keyring_file = {prepare, take, drop};

bool srv_keyring_asks(const struct srv_keyring *keyring)
{
    return keyring && atomic_load(&keyring->asks);
}

bool srv_keyring_match(struct srv_keyring *keyring, const char *secret,
                       char id[SRV_KEY_ID_CHARS + 1])
{
    pthread_rwlock_rdlock(&keyring->lock);
    bool found = !keyring->keys || srv_keys_match(keyring->keys, secret, id);
    pthread_rwlock_unlock(&keyring->lock);
    return found;
}
