/* Reading binary data without ever leaving it. A failed read sets failed and yields zeros. */
#ifndef ENG_BASE_CURSOR_H
#define ENG_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eng_cursor {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct eng_cursor eng_cursor_over(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    return (struct eng_cursor){.at = p, .end = p + n};
}

static inline size_t eng_cursor_left(const struct eng_cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Purpose: the next n bytes, or NULL (and failed) when fewer are left. */
static inline const uint8_t *eng_cursor_take(struct eng_cursor *c, size_t n)
{
    if (c->failed || eng_cursor_left(c) < n) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += n;
    return p;
}

static inline uint8_t eng_cursor_u8(struct eng_cursor *c)
{
    const uint8_t *p = eng_cursor_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t eng_cursor_le16(struct eng_cursor *c)
{
    const uint8_t *p = eng_cursor_take(c, 2);
    return (uint16_t)(p ? p[0] | p[1] << 8 : 0);
}

static inline uint32_t eng_cursor_le32(struct eng_cursor *c)
{
    const uint8_t *p = eng_cursor_take(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t eng_cursor_le64(struct eng_cursor *c)
{
    uint64_t low = eng_cursor_le32(c);
    return (uint64_t)eng_cursor_le32(c) << 32 | low;
}

static inline uint32_t eng_cursor_be32(struct eng_cursor *c)
{
    const uint8_t *p = eng_cursor_take(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

#endif
