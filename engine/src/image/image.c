/* Telling formats apart, limits, and reading pictures from files. */
#include "engine/image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE_BYTES = 4 << 20, HUGE_PAGE_BYTES = 2 << 20 };

struct codec {
    const char *name;
    const char *signature;
    size_t n_signature;
    eng_codec_decode_fn *decode;
};

static const struct codec codecs[] = {
#define CODEC(file, name, signature, n_signature) \
    {name, signature, n_signature, eng_##file##_decode},
#include "image/codec.def"
#undef CODEC
};

static const struct codec *find_codec(const void *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        const struct codec *codec = &codecs[i];
        if (n_bytes >= codec->n_signature &&
            memcmp(bytes, codec->signature, codec->n_signature) == 0)
            return codec;
    }
    return NULL;
}

static enum eng_status fail_unknown(const uint8_t *bytes, size_t n_bytes, struct eng_error *err)
{
    char begin[3 * 8 + 1] = "";
    for (size_t i = 0; i < n_bytes && i < 8; i++)
        snprintf(begin + 3 * i, 4, " %02x", bytes[i]);
    return eng_fail(err, ENG_FORMAT, "the picture is neither PNG nor JPEG: it begins with%s",
                    begin);
}

struct eng_image_limits eng_image_limits_default(void)
{
    return (struct eng_image_limits){
        .n_bytes = (size_t)32 << 20,
        .n_pixels = 50 * 1000 * 1000,
        .chunk_bytes = (size_t)8 << 20,
    };
}

const char *eng_image_type(const void *bytes, size_t n_bytes)
{
    const struct codec *codec = find_codec(bytes, n_bytes);
    return codec ? codec->name : NULL;
}

enum eng_status eng_image_decode(const void *bytes, size_t n_bytes,
                                 const struct eng_image_limits *limits, struct eng_image *out,
                                 struct eng_error *err)
{
    if (n_bytes == 0) return eng_fail(err, ENG_FORMAT, "the picture is empty (0 bytes)");
    if (n_bytes > limits->n_bytes)
        return eng_fail(err, ENG_LIMIT, "the picture has %zu bytes, the limit is %zu", n_bytes,
                        limits->n_bytes);
    const struct codec *codec = find_codec(bytes, n_bytes);
    if (!codec) return fail_unknown(bytes, n_bytes, err);
    return codec->decode(bytes, n_bytes, limits, out, err);
}

enum eng_status eng_image_load(const char *path, const struct eng_image_limits *limits,
                               struct eng_image *out, struct eng_error *err)
{
    struct eng_file file;
    enum eng_status status = eng_file_read(path, limits->n_bytes, &file, err);
    if (status != ENG_OK) return status;
    status = eng_image_decode(file.bytes, file.n_bytes, limits, out, err);
    if (status != ENG_OK) eng_error_context(err, "%s", path);
    eng_file_fini(&file);
    return status;
}

uint8_t *eng_image_alloc(size_t n_bytes)
{
    if (n_bytes < LARGE_BYTES) return malloc(n_bytes ? n_bytes : 1);
    /* On huge pages a photograph costs some ten page faults instead of thousands. */
    size_t n_pages = n_bytes / HUGE_PAGE_BYTES + 1;
    uint8_t *pixels = aligned_alloc(HUGE_PAGE_BYTES, n_pages * HUGE_PAGE_BYTES);
    if (pixels) eng_block_wish_huge(pixels, n_bytes);
    return pixels;
}

enum eng_status eng_image_check(const char *format, uint32_t width_px, uint32_t height_px,
                                const struct eng_image_limits *limits, struct eng_error *err)
{
    if (width_px > ENG_IMAGE_MAX_SIDE_PX || height_px > ENG_IMAGE_MAX_SIDE_PX)
        return eng_fail(err, ENG_LIMIT, "%s: %" PRIu32 " x %" PRIu32 " pixels, a side may have %d",
                        format, width_px, height_px, ENG_IMAGE_MAX_SIDE_PX);
    uint64_t n_pixels = (uint64_t)width_px * height_px;
    if (n_pixels > limits->n_pixels)
        return eng_fail(err, ENG_LIMIT,
                        "%s: %" PRIu32 " x %" PRIu32 " pixels are %" PRIu64
                        ", the limit is %" PRIu64,
                        format, width_px, height_px, n_pixels, limits->n_pixels);
    return ENG_OK;
}

enum eng_status eng_image_init(const char *format, uint32_t width_px, uint32_t height_px,
                               uint32_t n_channels, const struct eng_image_limits *limits,
                               struct eng_image *out, struct eng_error *err)
{
    enum eng_status status = eng_image_check(format, width_px, height_px, limits, err);
    if (status != ENG_OK) return status;
    size_t n_bytes;
    if (!eng_mul_size((size_t)width_px * height_px, n_channels, &n_bytes))
        return eng_fail_memory(err, "the pixels");
    uint8_t *pixels = eng_image_alloc(n_bytes);
    if (!pixels) return eng_fail_memory(err, "the pixels");
    *out = (struct eng_image){width_px, height_px, n_channels, pixels};
    return ENG_OK;
}

void eng_image_fini(struct eng_image *image)
{
    free(image->pixels);
    *image = (struct eng_image){0};
}
