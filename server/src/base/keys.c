#include "base/keys.h"

#include "base/fail.h"

#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_WORDS = SHA256_DIGEST_SIZE / sizeof(uint64_t) };

struct key {
    uint64_t digest[DIGEST_WORDS]; /* the bytes as they are */
    char id[SRV_KEY_ID_CHARS + 1];
};

struct srv_keys {
    size_t n;
    struct key keys[];
};

static const char blanks[] = " \t\r\n";

/* A piece of the file, without the blanks around it. */
struct piece {
    const char *text;
    size_t n;
};

static bool is_blank(char c)
{
    return c && strchr(blanks, c);
}

static struct piece trim(struct piece piece)
{
    while (piece.n > 0 && is_blank(piece.text[0])) {
        piece.text++;
        piece.n--;
    }
    while (piece.n > 0 && is_blank(piece.text[piece.n - 1]))
        piece.n--;
    return piece;
}

/* Takes the next line off rest. False: there is none. */
static bool next_line(struct piece *rest, struct piece *line)
{
    if (rest->n == 0) return false;
    const char *end = memchr(rest->text, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->text) + 1 : rest->n;
    *line = trim((struct piece){rest->text, n});
    rest->text += n;
    rest->n -= n;
    return true;
}

static void digest(const char *secret, size_t n_bytes, uint64_t out[DIGEST_WORDS])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, n_bytes, (const uint8_t *)secret);
    sha256_digest(&ctx, SHA256_DIGEST_SIZE, (uint8_t *)out);
}

bool srv_key_is_id(const char *text, size_t n_chars)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (size_t i = 0; i < n_chars; i++)
        if (!text[i] || !strchr(allowed, text[i])) return false;
    return n_chars > 0 && n_chars <= SRV_KEY_ID_CHARS;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "ID:SHA256". */
static bool parse_key(struct piece line, struct key *out)
{
    const char *colon = memchr(line.text, ':', line.n);
    if (!colon) return false;
    size_t n_id = (size_t)(colon - line.text);
    if (line.n - n_id - 1 != SRV_KEY_HEX_CHARS || !srv_key_is_id(line.text, n_id)) return false;
    uint8_t *bytes = (uint8_t *)out->digest;
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++) {
        int high = hex_value(colon[1 + 2 * i]), low = hex_value(colon[2 + 2 * i]);
        if (high < 0 || low < 0) return false;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    memcpy(out->id, line.text, n_id);
    out->id[n_id] = '\0';
    return true;
}

static enum eng_status fail_line(struct piece line, size_t number, const char *where,
                                 struct eng_error *err)
{
    return srv_fail(err, ENG_FORMAT,
                    "%s: line %zu, of %zu characters, is no key; wanted ID:SHA256, the id of 1 to "
                    "%d letters, digits and . _ -, the digest of %d hexadecimal digits, as "
                    "classifyd --hash-key ID prints it",
                    where, number, line.n, SRV_KEY_ID_CHARS, SRV_KEY_HEX_CHARS);
}

static const struct key *find(const struct srv_keys *keys, const uint64_t wanted[DIGEST_WORDS])
{
    for (size_t i = 0; i < keys->n; i++)
        if (memcmp(keys->keys[i].digest, wanted, SHA256_DIGEST_SIZE) == 0) return &keys->keys[i];
    return NULL;
}

static enum eng_status add_line(struct srv_keys *keys, struct piece line, size_t number,
                                const char *where, struct eng_error *err)
{
    struct key key;
    if (line.n == 0 || line.text[0] == '#') return ENG_OK;
    if (!parse_key(line, &key)) return fail_line(line, number, where, err);
    const struct key *same = find(keys, key.digest);
    if (same)
        return srv_fail(err, ENG_FORMAT,
                        "%s: line %zu has the digest of \"%s\" again; wanted a key of its own",
                        where, number, same->id);
    if (keys->n == SRV_MAX_KEYS)
        return srv_fail(err, ENG_LIMIT, "%s: line %zu is one key too many; wanted at most %d",
                        where, number, SRV_MAX_KEYS);
    keys->keys[keys->n++] = key;
    return ENG_OK;
}

static enum eng_status add_lines(struct srv_keys *keys, struct piece rest, const char *where,
                                 struct eng_error *err)
{
    struct piece line;
    enum eng_status status = ENG_OK;
    for (size_t number = 1; status == ENG_OK && next_line(&rest, &line); number++)
        status = add_line(keys, line, number, where, err);
    if (status == ENG_OK && keys->n == 0)
        status = srv_fail(err, ENG_FORMAT, "%s holds no key; wanted lines ID:SHA256", where);
    return status;
}

/* Whether the file is one of lines: the first of them that says something is a key. */
static bool has_lines(struct piece rest)
{
    struct piece line;
    struct key key;
    while (next_line(&rest, &line))
        if (line.n > 0 && line.text[0] != '#') return parse_key(line, &key);
    return false;
}

/* Half a digest and more behind an id is no secret but a line that lost or gained some digits. */
static bool is_mistyped(struct piece token)
{
    const char *colon = memchr(token.text, ':', token.n);
    if (!colon || !srv_key_is_id(token.text, (size_t)(colon - token.text))) return false;
    size_t n_hex = 0, n = token.n - (size_t)(colon + 1 - token.text);
    while (n_hex < n && hex_value(colon[1 + n_hex]) >= 0)
        n_hex++;
    return n_hex == n && n >= SRV_KEY_HEX_CHARS / 2;
}

/* Several words are a key mistyped, or nothing but a comment, whose # must not become a token. */
static enum eng_status add_token(struct srv_keys *keys, struct piece token, const char *where,
                                 struct eng_error *err)
{
    if (token.n == 0) return srv_fail(err, ENG_FORMAT, "%s holds no token", where);
    for (size_t i = 0; i < token.n; i++)
        if (is_blank(token.text[i]))
            return srv_fail(err, ENG_FORMAT,
                            "%s holds several words; wanted one plain token, or lines ID:SHA256",
                            where);
    if (is_mistyped(token)) return fail_line(token, 1, where, err);
    strcpy(keys->keys[0].id, "admin");
    digest(token.text, token.n, keys->keys[0].digest);
    keys->n = 1;
    return ENG_OK;
}

/* How many keys there can be at most: so much room is made. */
static size_t count_lines(struct piece rest)
{
    struct piece line;
    size_t n = 1;
    while (n < SRV_MAX_KEYS && next_line(&rest, &line))
        n++;
    return n;
}

enum eng_status srv_keys_parse(const char *text, size_t n_bytes, enum srv_keys_form form,
                               const char *where, struct srv_keys **out, struct eng_error *err)
{
    const struct piece whole = {text, n_bytes};
    if (memchr(text, '\0', n_bytes))
        return srv_fail(err, ENG_FORMAT, "%s holds a zero byte; wanted text", where);
    struct srv_keys *keys = calloc(1, sizeof *keys + count_lines(whole) * sizeof keys->keys[0]);
    if (!keys) return srv_fail_memory(err, where);
    enum eng_status status = form == SRV_KEYS_TOKEN && !has_lines(whole)
                                 ? add_token(keys, trim(whole), where, err)
                                 : add_lines(keys, whole, where, err);
    if (status == ENG_OK)
        *out = keys;
    else
        srv_keys_destroy(keys);
    return status;
}

void srv_keys_destroy(struct srv_keys *keys)
{
    free(keys);
}

/* 1 or 0, without a branch: the time taken does not depend on what is compared. */
static size_t is_same_digest(const uint64_t a[DIGEST_WORDS], const uint64_t b[DIGEST_WORDS])
{
    uint64_t difference = 0;
    for (size_t i = 0; i < DIGEST_WORDS; i++)
        difference |= a[i] ^ b[i];
    return (size_t)(((difference | (0 - difference)) >> 63) ^ 1);
}

bool srv_keys_match(const struct srv_keys *keys, const char *secret, char id[SRV_KEY_ID_CHARS + 1])
{
    uint64_t given[DIGEST_WORDS];
    digest(secret, strlen(secret), given);
    size_t found = 0; /* 1 + the index of the key, without a branch */
    for (size_t i = 0; i < keys->n; i++) {
        /* No digest stands there twice. */
        found |= (0 - is_same_digest(keys->keys[i].digest, given)) & (i + 1);
    }
    if (found == 0) return false;
    strcpy(id, keys->keys[found - 1].id);
    return true;
}

void srv_key_hash(const char *secret, size_t n_bytes, char hex[SRV_KEY_HEX_CHARS + 1])
{
    uint64_t words[DIGEST_WORDS];
    digest(secret, n_bytes, words);
    const uint8_t *bytes = (const uint8_t *)words;
    for (size_t i = 0; i < sizeof words; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}
