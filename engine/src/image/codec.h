/* What a picture format has to bring: one function, and one row in codec.def. */
#ifndef ENG_IMAGE_CODEC_H
#define ENG_IMAGE_CODEC_H

#include "engine/image.h"

/*
 * Purpose: decodes bytes that begin with the format's signature, as eng_image_decode promises.
 * Ownership: out is written on success only; the caller ends it with eng_image_fini.
 */
typedef enum eng_status eng_codec_decode_fn(const void *bytes, size_t n_bytes,
                                            const struct eng_image_limits *limits,
                                            struct eng_image *out, struct eng_error *err);

#define CODEC(file, name, signature, n_signature) eng_codec_decode_fn eng_##file##_decode;
#include "image/codec.def"
#undef CODEC

/* Rows may be read so many bytes behind their end; what is found there does not count. */
enum { ENG_ROW_PADDING = 16 };

/* A picture that gives its rows one after the other. */
struct eng_rows {
    uint32_t width_px, height_px, n_channels;
    /* Row y, larger than at the call before; padded, and good until the next call. */
    enum eng_status (*row)(void *ctx, uint32_t y, const uint8_t **row);
    void *ctx;
};

/*
 * Purpose: begins to read a JPEG row by row, without ever holding all of its pixels. *out is NULL
 *          for what has to be decoded as a whole: turned pictures, and what is no JPEG at all.
 * Ownership: bytes and err stay the caller's, and there until eng_codec_jpeg_close.
 * Errors: as eng_image_decode, here or when rows are asked for; the sentence is in err.
 */
struct eng_codec_jpeg;
enum eng_status eng_codec_jpeg_open(const void *bytes, size_t n_bytes,
                                    const struct eng_image_limits *limits,
                                    struct eng_codec_jpeg **out, struct eng_error *err);
struct eng_rows eng_codec_jpeg_rows(struct eng_codec_jpeg *jpeg);

/* Purpose: reads what nobody asked for, so that damage does not pass. */
enum eng_status eng_codec_jpeg_end(struct eng_codec_jpeg *jpeg);

void eng_codec_jpeg_close(struct eng_codec_jpeg *jpeg);

/* Purpose: checks a header's size against the limits. Errors: LIMIT; format ("PNG") begins the
 * sentence. */
enum eng_status eng_image_check(const char *format, uint32_t width_px, uint32_t height_px,
                                const struct eng_image_limits *limits, struct eng_error *err);

/*
 * Purpose: checks a header's size against the limits, then allocates the pixels (not zeroed).
 * Errors: LIMIT, NO_MEMORY; format ("PNG") begins the sentence.
 */
enum eng_status eng_image_init(const char *format, uint32_t width_px, uint32_t height_px,
                               uint32_t n_channels, const struct eng_image_limits *limits,
                               struct eng_image *out, struct eng_error *err);

/* Purpose: memory for pixels, not zeroed; NULL: there is none. */
uint8_t *eng_image_alloc(size_t n_bytes);

/* Purpose: where row y begins. */
static inline uint8_t *eng_image_row(const struct eng_image *image, uint32_t y)
{
    return image->pixels + (size_t)y * image->width_px * image->n_channels;
}

#endif
