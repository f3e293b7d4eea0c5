/* PNG files built in memory, good and bad ones. Every call asserts success. */
#ifndef TEST_IMAGE_BUILD_PNG_H
#define TEST_IMAGE_BUILD_PNG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

struct built {
    uint8_t *bytes;
    size_t n;
};

static inline void built_append(struct built *png, const void *bytes, size_t n)
{
    png->bytes = realloc(png->bytes, png->n + n + 1);
    assert_non_null(png->bytes);
    if (n) memcpy(png->bytes + png->n, bytes, n);
    png->n += n;
}

static inline void built_be32(struct built *png, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    built_append(png, bytes, 4);
}

static inline void built_chunk(struct built *png, const char *name, const void *data, size_t n)
{
    built_be32(png, (uint32_t)n);
    built_append(png, name, 4);
    built_append(png, data, n);
    built_be32(png, (uint32_t)crc32(0, png->bytes + png->n - n - 4, (uInt)(n + 4)));
}

/* Signature and header. color: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGB + alpha. */
static inline struct built built_begin(uint32_t width, uint32_t height, int depth, int color)
{
    struct built png = {0}, header = {0};
    uint8_t rest[5] = {(uint8_t)depth, (uint8_t)color, 0, 0, 0};
    built_append(&png, "\x89PNG\r\n\x1a\n", 8);
    built_be32(&header, width);
    built_be32(&header, height);
    built_append(&header, rest, 5);
    built_chunk(&png, "IHDR", header.bytes, header.n);
    free(header.bytes);
    return png;
}

/* A chunk of zlib data, after a prefix that is not packed. */
static inline void built_packed(struct built *png, const char *name, const char *prefix,
                                size_t n_prefix, const void *data, size_t n)
{
    uLongf n_packed = compressBound((uLong)n);
    uint8_t *packed = malloc(n_prefix + n_packed);
    assert_non_null(packed);
    if (n_prefix) memcpy(packed, prefix, n_prefix);
    assert_int_equal(compress2(packed + n_prefix, &n_packed, data, (uLong)n, 9), Z_OK);
    built_chunk(png, name, packed, n_prefix + n_packed);
    free(packed);
}

/* rows: each with its filter byte in front. */
static inline void built_image_data(struct built *png, const void *rows, size_t n)
{
    built_packed(png, "IDAT", NULL, 0, rows, n);
}

static inline void built_end(struct built *png)
{
    built_chunk(png, "IEND", NULL, 0);
}

#endif
