/*
 * JPEG through libjpeg(-turbo), as a whole or row by row. The only file that sees
 * jpeglib.h. Settings are the library's defaults (slow integer DCT, fancy upsampling), which are
 * Pillow's too, so that the pixels are bit-equal.
 */
#include "base/error.h"
#include "base/mem.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <jerror.h>

/* Progressive files have about ten; a file with thousands costs hours (libjpeg's own advice). */
enum { MAX_SCANS = 200 };

struct eng_codec_jpeg {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr messages;
    struct jpeg_progress_mgr progress;
    jmp_buf on_error;
    struct eng_error *err;
    enum eng_status status; /* of a call that ended in on_error */
    bool is_started;
    uint8_t *block, *line; /* of who reads row by row: a row, and where it lies */
};

static enum eng_status status_of(int message)
{
    switch (message) {
    case JERR_OUT_OF_MEMORY:
        return ENG_NO_MEMORY;
    case JERR_IMAGE_TOO_BIG:
        return ENG_LIMIT;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
        return ENG_UNSUPPORTED;
    default:
        return ENG_FORMAT;
    }
}

static void on_error(j_common_ptr jpeg)
{
    struct eng_codec_jpeg *r = jpeg->client_data;
    char message[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, message);
    r->status = eng_fail(r->err, status_of(jpeg->err->msg_code), "JPEG: %s", message);
    longjmp(r->on_error, 1);
}

/* Warnings after which pixels are invented or missing. Stray bytes between markers are harmless. */
static bool is_corruption(int message)
{
    switch (message) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_NOT_SEQUENTIAL:
        return true;
    default:
        return false;
    }
}

static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && is_corruption(jpeg->err->msg_code)) on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    struct eng_codec_jpeg *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= MAX_SCANS) return;
    r->status = eng_fail(r->err, ENG_LIMIT, "JPEG: more than %d scans", MAX_SCANS);
    longjmp(r->on_error, 1);
}

static enum eng_status check_colors(struct eng_codec_jpeg *r)
{
    int n = r->jpeg.num_components;
    if (n == 4)
        return eng_fail(r->err, ENG_UNSUPPORTED,
                        "JPEG: CMYK (4 colour components) is not read, wanted grey or RGB");
    if (n != 1 && n != 3)
        return eng_fail(r->err, ENG_UNSUPPORTED,
                        "JPEG: %d colour components are not read, wanted 1 (grey) or 3 (RGB)", n);
    return ENG_OK;
}

/*
 * A Huffman code has at least one bit, and each block at least one code. Without this check a
 * progressive file of 200 bytes would make libjpeg zero 6 bytes per claimed pixel.
 */
static enum eng_status check_bytes(struct eng_codec_jpeg *r, size_t n_bytes)
{
    const jpeg_component_info *first = &r->jpeg.comp_info[0];
    uint64_t n_blocks = (uint64_t)first->width_in_blocks * first->height_in_blocks;
    if (r->jpeg.arith_code || n_blocks / 8 <= n_bytes) return ENG_OK;
    return eng_fail(r->err, ENG_FORMAT, "JPEG: %u x %u pixels cannot come from %zu bytes",
                    r->jpeg.image_width, r->jpeg.image_height, n_bytes);
}

/* Holds no local that changes after setjmp: all state is in r. */
static enum eng_status read_header(struct eng_codec_jpeg *r, const void *bytes, size_t n_bytes,
                                   const struct eng_image_limits *limits)
{
    if (setjmp(r->on_error)) return r->status;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    jpeg_mem_src(&r->jpeg, bytes, (unsigned long)n_bytes);
    jpeg_read_header(&r->jpeg, TRUE);
    enum eng_status status = check_colors(r);
    if (status != ENG_OK) return status;
    r->jpeg.out_color_space = r->jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    status = eng_image_check("JPEG", r->jpeg.image_width, r->jpeg.image_height, limits, r->err);
    return status == ENG_OK ? check_bytes(r, n_bytes) : status;
}

static enum eng_status begin(struct eng_codec_jpeg *r, const void *bytes, size_t n_bytes,
                             const struct eng_image_limits *limits, struct eng_error *err)
{
    *r = (struct eng_codec_jpeg){.err = err, .progress.progress_monitor = on_progress};
    r->jpeg.err = jpeg_std_error(&r->messages);
    r->jpeg.client_data = r;
    r->messages.error_exit = on_error;
    r->messages.emit_message = on_message;
    return read_header(r, bytes, n_bytes, limits);
}

static size_t row_bytes(const struct eng_codec_jpeg *r)
{
    return (size_t)r->jpeg.image_width * (size_t)r->jpeg.num_components;
}

/* The rows that were not read yet, up to end, and all that is behind the last one. */
static enum eng_status read_until(struct eng_codec_jpeg *r, uint32_t end, uint8_t *dst,
                                  size_t stride_bytes)
{
    if (setjmp(r->on_error)) return r->status;
    if (!r->is_started) jpeg_start_decompress(&r->jpeg);
    r->is_started = true;
    const uint32_t first = r->jpeg.output_scanline;
    while (r->jpeg.output_scanline < end) {
        JSAMPROW row = dst + (r->jpeg.output_scanline - first) * stride_bytes;
        jpeg_read_scanlines(&r->jpeg, &row, 1);
    }
    if (first < end && end == r->jpeg.output_height) jpeg_finish_decompress(&r->jpeg);
    return ENG_OK;
}

/* --- as a whole --- */

enum eng_status eng_codec_jpeg_decode(const void *bytes, size_t n_bytes,
                                      const struct eng_image_limits *limits, struct eng_image *out,
                                      struct eng_error *err)
{
    struct eng_codec_jpeg r;
    struct eng_image image = {0};
    enum eng_status status = begin(&r, bytes, n_bytes, limits, err);
    if (status == ENG_OK)
        status = eng_image_init("JPEG", r.jpeg.image_width, r.jpeg.image_height,
                                (uint32_t)r.jpeg.num_components, limits, &image, err);
    if (status == ENG_OK) status = read_until(&r, image.height_px, image.pixels, row_bytes(&r));
    jpeg_destroy_decompress(&r.jpeg);
    if (status == ENG_OK)
        status = eng_orientation_apply(&image, eng_orientation_read(bytes, n_bytes), err);
    if (status == ENG_OK)
        *out = image;
    else
        eng_image_fini(&image);
    return status;
}

/* --- row by row --- */

static bool is_jpeg(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

enum eng_status eng_codec_jpeg_open(const void *bytes, size_t n_bytes,
                                    const struct eng_image_limits *limits,
                                    struct eng_codec_jpeg **out, struct eng_error *err)
{
    *out = NULL;
    if (n_bytes > limits->n_bytes || !is_jpeg(bytes, n_bytes) ||
        eng_orientation_read(bytes, n_bytes) != 1)
        return ENG_OK;
    struct eng_codec_jpeg *r = malloc(sizeof *r);
    if (!r) return eng_fail_memory(err, "reading a JPEG");
    enum eng_status status = begin(r, bytes, n_bytes, limits, err);
    if (status == ENG_OK) {
        r->block = eng_calloc(row_bytes(r) + 2 * ENG_ROW_PADDING, 1);
        if (!r->block) status = eng_fail_memory(err, "a row of a JPEG");
    }
    if (status == ENG_OK) {
        /* At a multiple of 32 libjpeg-turbo would write past the caches, where nobody looks. */
        r->line = r->block + ((uintptr_t)r->block % 32 == 0 ? ENG_ROW_PADDING : 0);
        *out = r;
    }
    if (status != ENG_OK) eng_codec_jpeg_close(r);
    return status;
}

static enum eng_status next_row(void *ctx, uint32_t y, const uint8_t **row)
{
    struct eng_codec_jpeg *r = ctx;
    enum eng_status status = read_until(r, y + 1, r->line, 0);
    if (status == ENG_OK) *row = r->line;
    return status;
}

struct eng_rows eng_codec_jpeg_rows(struct eng_codec_jpeg *r)
{
    return (struct eng_rows){.width_px = r->jpeg.image_width,
                             .height_px = r->jpeg.image_height,
                             .n_channels = (uint32_t)r->jpeg.num_components,
                             .row = next_row,
                             .ctx = r};
}

enum eng_status eng_codec_jpeg_end(struct eng_codec_jpeg *r)
{
    return read_until(r, r->jpeg.image_height, r->line, 0);
}

void eng_codec_jpeg_close(struct eng_codec_jpeg *r)
{
    if (!r) return;
    jpeg_destroy_decompress(&r->jpeg);
    free(r->block);
    free(r);
}
