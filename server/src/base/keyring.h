/* The keys of a file that may be read again while requests are asked for theirs. */
#ifndef SRV_BASE_KEYRING_H
#define SRV_BASE_KEYRING_H

#include "base/keys.h"

struct srv_keyring;

/* Purpose: reads the file at path, named by its setting in errors. path "": a keyring that asks
 * nobody. Ownership: copies both texts; end with srv_keyring_destroy. Errors: of srv_keyring_load,
 * NO_MEMORY. */
enum eng_status srv_keyring_create(const char *setting, const char *path, enum srv_keys_form form,
                                   struct srv_keyring **out, struct eng_error *err);
void srv_keyring_destroy(struct srv_keyring *keyring);

/* Purpose: reads the file again; fits srv_watched.load. On an error the keys stay what they were.
 * Errors: IO, and those of srv_keys_parse. Threads: one at a time, beside srv_keyring_match. */
enum eng_status srv_keyring_load(void *keyring, struct eng_error *err);

/* Purpose: whether a request needs a key at all. Cost: a load. NULL does not ask. */
bool srv_keyring_asks(const struct srv_keyring *keyring);

/* Purpose: srv_keys_match on the keys of now. Any thread. */
bool srv_keyring_match(struct srv_keyring *keyring, const char *secret,
                       char id[SRV_KEY_ID_CHARS + 1]);

#endif
