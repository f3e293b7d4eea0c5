/*
 * Secrets that clients show, API keys and admin tokens, as digests: who reads the file or the
 * process learns none. A file holds lines "ID:SHA256", the digest in 64 hexadecimal digits; empty
 * lines and lines that begin with # say nothing. One id may stand on several lines, so a key can be
 * replaced while its successor is already taken.
 */
#ifndef SRV_BASE_KEYS_H
#define SRV_BASE_KEYS_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { SRV_KEY_ID_CHARS = 64, SRV_KEY_HEX_CHARS = 64, SRV_MAX_KEYS = 4096 };

struct srv_keys;

/* LINES: as above. TOKEN: these, or one plain token and nothing else, whose id is then "admin". */
enum srv_keys_form { SRV_KEYS_LINES, SRV_KEYS_TOKEN };

/*
 * Purpose: reads the n_bytes of a file; where ("api_keys_file /etc/keys") begins the errors, which
 * name the line but never what it holds: it may be a secret in the wrong place. Ids are 1 to 64 of
 * A-Z a-z 0-9 . _ -. Ownership: end with srv_keys_destroy. Errors: FORMAT (a line, the same digest
 * twice, no key at all), LIMIT (more than SRV_MAX_KEYS), NO_MEMORY.
 */
enum eng_status srv_keys_parse(const char *text, size_t n_bytes, enum srv_keys_form form,
                               const char *where, struct srv_keys **out, struct eng_error *err);
void srv_keys_destroy(struct srv_keys *keys);

/*
 * Purpose: whether secret is one of them, and whose. Every digest is compared whole, whichever
 * fits, so the time taken tells nothing of them. id is written only if it is one. Cost: one SHA-256
 * and 1.5 ns a key.
 */
bool srv_keys_match(const struct srv_keys *keys, const char *secret, char id[SRV_KEY_ID_CHARS + 1]);

/* Purpose: 1 to SRV_KEY_ID_CHARS of A-Z a-z 0-9 . _ -. */
bool srv_key_is_id(const char *text, size_t n_chars);

/* Purpose: the digest of a secret as it stands in a file. */
void srv_key_hash(const char *secret, size_t n_bytes, char hex[SRV_KEY_HEX_CHARS + 1]);

#endif
