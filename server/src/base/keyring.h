/* The keys of a file that may be read again while requests are asked for theirs. */
#ifndef SRV_BASE_KEYRING_H
#define SRV_BASE_KEYRING_H

#include "base/keys.h"
#include "base/watched.h"

struct srv_keyring;

/* Purpose: a keyring that asks nobody. setting names its file in errors. Ownership: borrows
 * setting; end with srv_keyring_destroy. NULL: out of memory. */
struct srv_keyring *srv_keyring_create(const char *setting, enum srv_keys_form form);
void srv_keyring_destroy(struct srv_keyring *keyring);

/* How a keyring, the ctx, gets its keys: from one file; from none it asks nobody. Errors: IO, LIMIT
 * naming setting and file, and those of srv_keys_parse. Beside the two below. */
extern const struct srv_watched_kind srv_keyring_file;

/* Purpose: whether a request needs a key at all. Cost: a load. NULL does not ask. */
bool srv_keyring_asks(const struct srv_keyring *keyring);

/* Purpose: srv_keys_match on the keys of now; true if nobody is asked any more. Any thread. */
bool srv_keyring_match(struct srv_keyring *keyring, const char *secret,
                       char id[SRV_KEY_ID_CHARS + 1]);

#endif
