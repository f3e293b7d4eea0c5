/* Pictures: PNG and JPEG bytes in, 8-bit pixels out; and pixels to PNG. */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include "engine/status.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Decoded pixels, row-major and interleaved, no padding: [height_px, width_px, n_channels].
 * n_channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha; alpha is not premultiplied.
 */
struct eng_image {
    uint32_t width_px;
    uint32_t height_px;
    uint32_t n_channels;
    uint8_t *pixels;
};

/* No side may be longer, whatever the limits say: it is libjpeg's own bound. */
enum { ENG_IMAGE_MAX_SIDE_PX = 65500 };

/* What a picture may cost. Checked on the header, before pixels are allocated. */
struct eng_image_limits {
    size_t n_bytes;     /* encoded size */
    uint64_t n_pixels;  /* width x height */
    size_t chunk_bytes; /* one PNG ancillary chunk, unpacked */
};

/* Purpose: the limits that fit ordinary photographs (32 MiB, 50 megapixels, 8 MiB). */
struct eng_image_limits eng_image_limits_default(void);

/*
 * Purpose: decodes a PNG or JPEG; the type is told by content, never by a name. A JPEG is turned
 * and mirrored as the orientation in its Exif segment says: width and height are those of the
 * upright picture.
 * Ownership: on success the caller ends out with eng_image_fini; untouched on failure.
 * Errors: FORMAT (neither type, corrupt, truncated), UNSUPPORTED (CMYK JPEG), LIMIT, NO_MEMORY.
 * Threads: any, no shared state. Cost: 49 KiB of stack for PNG; a progressive JPEG holds 2 to 6
 *          bytes per pixel beside the pixels while it is read, one to be turned its pixels twice.
 * Source: PNG 1.2 (ISO/IEC 15948), JPEG (ITU-T T.81), Exif 2.3 (tag 0x0112); 16-bit samples keep
 * their high byte, low bit depths are scaled to 0..255, palettes are expanded, tRNS becomes alpha.
 */
enum eng_status eng_image_decode(const void *bytes, size_t n_bytes,
                                 const struct eng_image_limits *limits, struct eng_image *out,
                                 struct eng_error *err);

/* Purpose: reads the file and decodes it; the error names the path. Otherwise as above. */
enum eng_status eng_image_load(const char *path, const struct eng_image_limits *limits,
                               struct eng_image *out, struct eng_error *err);

/* Purpose: "png", "jpeg" or NULL, from the first bytes. */
const char *eng_image_type(const void *bytes, size_t n_bytes);

/*
 * Purpose: encodes the picture as an 8-bit PNG of as many channels as it has.
 * Ownership: *bytes is malloc'd, the caller frees it; untouched on failure.
 * Errors: ARGUMENT (channels, or a side of 0 or above ENG_IMAGE_MAX_SIDE_PX), NO_MEMORY.
 * Threads: any. Same pixels and same libpng and zlib: same bytes.
 * Source: PNG 1.2 (ISO/IEC 15948).
 */
enum eng_status eng_image_encode_png(const struct eng_image *image, uint8_t **bytes,
                                     size_t *n_bytes, struct eng_error *err);

/* Purpose: the same into a file, which is replaced atomically; also IO, NOT_FOUND. The sentence
 * names the path. */
enum eng_status eng_image_write_png(const char *path, const struct eng_image *image,
                                    struct eng_error *err);

/* Purpose: frees the pixels and zeroes the struct; a zeroed struct is accepted. */
void eng_image_fini(struct eng_image *image);

#endif
