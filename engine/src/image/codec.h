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
