/*
 * JPEG through libjpeg(-turbo), row by row into the caller's pixels. The only file that sees
 * jpeglib.h. Settings are the library's defaults (slow integer DCT, fancy upsampling), which are
 * Pillow's too, so that the pixels are bit-equal.
 */
#include "base/error.h"
#include "image/codec.h"
#include "image/orientation.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>

/* Progressive files have about ten; a file with thousands costs hours (libjpeg's own advice). */
enum { MAX_SCANS = 200 };

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr messages;
    struct jpeg_progress_mgr progress;
    jmp_buf on_error;
    struct eng_error *err;
    enum eng_status status; /* of a call that ended in on_error */
    struct eng_image image;
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
    struct reader *r = jpeg->client_data;
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
    struct reader *r = jpeg->client_data;
    if (r->jpeg.input_scan_number <= MAX_SCANS) return;
    r->status = eng_fail(r->err, ENG_LIMIT, "JPEG: more than %d scans", MAX_SCANS);
    longjmp(r->on_error, 1);
}

static enum eng_status check_colors(struct reader *r)
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
static enum eng_status check_bytes(struct reader *r, size_t n_bytes)
{
    const jpeg_component_info *first = &r->jpeg.comp_info[0];
    uint64_t n_blocks = (uint64_t)first->width_in_blocks * first->height_in_blocks;
    if (r->jpeg.arith_code || n_blocks / 8 <= n_bytes) return ENG_OK;
    return eng_fail(r->err, ENG_FORMAT, "JPEG: %u x %u pixels cannot come from %zu bytes",
                    r->jpeg.image_width, r->jpeg.image_height, n_bytes);
}

static enum eng_status start(struct reader *r, const void *bytes, size_t n_bytes,
                             const struct eng_image_limits *limits)
{
    jpeg_mem_src(&r->jpeg, bytes, (unsigned long)n_bytes);
    jpeg_read_header(&r->jpeg, TRUE);
    enum eng_status status = check_colors(r);
    if (status != ENG_OK) return status;
    r->jpeg.out_color_space = r->jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    status = eng_image_init("JPEG", r->jpeg.image_width, r->jpeg.image_height,
                            (uint32_t)r->jpeg.num_components, limits, &r->image, r->err);
    if (status == ENG_OK) status = check_bytes(r, n_bytes);
    if (status != ENG_OK) return status;
    jpeg_start_decompress(&r->jpeg);
    return ENG_OK;
}

/* Holds no local that changes after setjmp: all state is in r. */
static enum eng_status read_picture(struct reader *r, const void *bytes, size_t n_bytes,
                                    const struct eng_image_limits *limits)
{
    if (setjmp(r->on_error)) return r->status;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.progress = &r->progress;
    enum eng_status status = start(r, bytes, n_bytes, limits);
    if (status != ENG_OK) return status;
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        JSAMPROW row = eng_image_row(&r->image, r->jpeg.output_scanline);
        jpeg_read_scanlines(&r->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&r->jpeg);
    return ENG_OK;
}

enum eng_status eng_codec_jpeg_decode(const void *bytes, size_t n_bytes,
                                      const struct eng_image_limits *limits, struct eng_image *out,
                                      struct eng_error *err)
{
    struct reader r = {.err = err, .progress.progress_monitor = on_progress};
    r.jpeg.err = jpeg_std_error(&r.messages);
    r.jpeg.client_data = &r;
    r.messages.error_exit = on_error;
    r.messages.emit_message = on_message;
    enum eng_status status = read_picture(&r, bytes, n_bytes, limits);
    jpeg_destroy_decompress(&r.jpeg);
    if (status == ENG_OK)
        status = eng_orientation_apply(&r.image, eng_orientation_read(bytes, n_bytes), err);
    if (status == ENG_OK)
        *out = r.image;
    else
        eng_image_fini(&r.image);
    return status;
}
