#include "base/keyring.h"

#include "base/fail.h"
#include "base/small_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20 };

struct srv_keyring {
    char *setting, *path;
    enum srv_keys_form form;
    pthread_rwlock_t lock; /* guards keys */
    struct srv_keys *keys; /* NULL: asks nobody */
};

enum eng_status srv_keyring_create(const char *setting, const char *path, enum srv_keys_form form,
                                   struct srv_keyring **out, struct eng_error *err)
{
    struct srv_keyring *keyring = calloc(1, sizeof *keyring);
    if (!keyring) return srv_fail_memory(err, setting);
    pthread_rwlock_init(&keyring->lock, NULL);
    keyring->form = form;
    keyring->setting = strdup(setting);
    keyring->path = strdup(path);
    enum eng_status status = ENG_OK;
    if (!keyring->setting || !keyring->path)
        status = srv_fail_memory(err, setting);
    else if (path[0])
        status = srv_keyring_load(keyring, err);
    if (status == ENG_OK)
        *out = keyring;
    else
        srv_keyring_destroy(keyring);
    return status;
}

void srv_keyring_destroy(struct srv_keyring *keyring)
{
    if (!keyring) return;
    srv_keys_destroy(keyring->keys);
    pthread_rwlock_destroy(&keyring->lock);
    free(keyring->setting);
    free(keyring->path);
    free(keyring);
}

static enum eng_status read_keys(const struct srv_keyring *keyring, struct srv_keys **out,
                                 struct eng_error *err)
{
    char *text = NULL, where[512];
    size_t n_bytes = 0;
    enum eng_status status =
        srv_small_file_read(keyring->setting, keyring->path, MAX_FILE_BYTES, &text, &n_bytes, err);
    if (status != ENG_OK) return status;
    snprintf(where, sizeof where, "%s %s", keyring->setting, keyring->path);
    status = srv_keys_parse(text, n_bytes, keyring->form, where, out, err);
    explicit_bzero(text, n_bytes); /* the plain form is the secret itself */
    free(text);
    return status;
}

enum eng_status srv_keyring_load(void *argument, struct eng_error *err)
{
    struct srv_keyring *keyring = argument;
    struct srv_keys *keys = NULL;
    enum eng_status status = read_keys(keyring, &keys, err);
    if (status != ENG_OK) return status;
    pthread_rwlock_wrlock(&keyring->lock);
    struct srv_keys *old = keyring->keys;
    keyring->keys = keys;
    pthread_rwlock_unlock(&keyring->lock);
    srv_keys_destroy(old);
    return ENG_OK;
}

bool srv_keyring_asks(const struct srv_keyring *keyring)
{
    return keyring && keyring->path[0] != '\0';
}

bool srv_keyring_match(struct srv_keyring *keyring, const char *secret,
                       char id[SRV_KEY_ID_CHARS + 1])
{
    pthread_rwlock_rdlock(&keyring->lock);
    bool found = srv_keys_match(keyring->keys, secret, id);
    pthread_rwlock_unlock(&keyring->lock);
    return found;
}
