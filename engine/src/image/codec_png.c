/*
 * PNG through libpng, row by row into the caller's pixels. encode_png.c is the other half.
 *
 * Strictness: a wrong checksum anywhere, missing image data or a missing IEND is an error, as a
 * truncated upload must not be classified. Bytes behind IEND and image data behind the last row are
 * passed over, as libpng and Pillow do. Ancillary chunks other than tRNS change no pixel here, so
 * libpng is told not to parse them.
 */
#include "base/cursor.h"
#include "base/error.h"
#include "image/codec.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * All that libpng and zlib allocate for a small picture fits in here (42 KB measured for 28 x 28);
 * what does not comes from malloc. See docs/decisions on the cost of small pictures.
 */
enum { SCRATCH_BYTES = 48 * 1024 };

/* How much one row may take from the file above its own size: bounds the work of a zlib bomb. */
enum { ROW_SLACK_BYTES = 64 * 1024 };

struct reader {
    jmp_buf on_error;
    struct eng_cursor file;
    size_t row_budget_bytes; /* may still be read before the next row must be there */
    const struct eng_image_limits *limits;
    struct eng_error *err;
    enum eng_status status; /* of a call that ended in on_error */
    bool out_of_memory;
    char warning[96]; /* the latest: says more than the error that follows it */
    uint8_t *scratch;
    size_t n_scratch; /* used */
    png_structp png;
    png_infop info;
    struct eng_image image;
};

static png_voidp allocate(png_structp png, png_alloc_size_t n_bytes)
{
    struct reader *r = png_get_mem_ptr(png);
    size_t n_aligned = (n_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (n_aligned <= SCRATCH_BYTES - r->n_scratch) {
        void *piece = r->scratch + r->n_scratch;
        r->n_scratch += n_aligned;
        return piece;
    }
    void *piece = malloc(n_bytes);
    if (!piece) r->out_of_memory = true;
    return piece;
}

static void release(png_structp png, png_voidp piece)
{
    struct reader *r = png_get_mem_ptr(png);
    if ((uintptr_t)piece - (uintptr_t)r->scratch >= SCRATCH_BYTES) free(piece);
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    struct reader *r = png_get_io_ptr(png);
    const uint8_t *from = eng_cursor_take(&r->file, n);
    if (!from) png_error(png, "the file is truncated");
    if (n > r->row_budget_bytes) png_error(png, "the image data goes on behind the last row");
    r->row_budget_bytes -= n;
    memcpy(to, from, n);
}

static void on_error(png_structp png, png_const_charp message)
{
    struct reader *r = png_get_error_ptr(png);
    const char *detail = r->warning[0] ? r->warning : NULL;
    if (r->out_of_memory)
        r->status = eng_fail_memory(r->err, "reading a PNG");
    else
        r->status = eng_fail(r->err, ENG_FORMAT, "PNG: %s%s%s%s", message, detail ? " (" : "",
                             detail ? detail : "", detail ? ")" : "");
    longjmp(r->on_error, 1);
}

/* libpng only warns when zlib's checksum behind the last row is wrong. */
static bool is_corruption(const char *warning)
{
    return strncmp(warning, "IDAT: ", 6) == 0 &&
           strcmp(warning, "IDAT: Extra compressed data") != 0 &&
           strcmp(warning, "IDAT: Too much image data") != 0;
}

static void on_warning(png_structp png, png_const_charp message)
{
    struct reader *r = png_get_error_ptr(png);
    if (is_corruption(message)) on_error(png, message);
    snprintf(r->warning, sizeof r->warning, "%s", message);
}

/* Looks over the chunks: finds oversized ones, and whether there are any that libpng shall skip. */
static enum eng_status scan_chunks(const struct reader *r, bool *has_others)
{
    struct eng_cursor file = r->file;
    eng_cursor_take(&file, 8); /* the signature */
    *has_others = false;
    while (!file.failed && eng_cursor_left(&file) >= 8) {
        uint32_t n_bytes = eng_cursor_be32(&file);
        const char *name = (const char *)eng_cursor_take(&file, 4);
        if (memcmp(name, "IEND", 4) == 0) break; /* what follows is no PNG any more */
        bool is_idat = memcmp(name, "IDAT", 4) == 0;
        if (!is_idat && n_bytes > r->limits->chunk_bytes)
            return eng_fail(r->err, ENG_LIMIT, "PNG: a chunk of %u bytes, the limit is %zu",
                            n_bytes, r->limits->chunk_bytes);
        if (!is_idat && memcmp(name, "IHDR", 4) != 0 && memcmp(name, "PLTE", 4) != 0 &&
            memcmp(name, "tRNS", 4) != 0)
            *has_others = true;
        eng_cursor_take(&file, (size_t)n_bytes + 4); /* with its checksum */
    }
    return ENG_OK;
}

static enum eng_status read_header(struct reader *r)
{
    png_structp png = r->png;
    bool has_others;
    enum eng_status status = scan_chunks(r, &has_others);
    if (status != ENG_OK) return status;
    if (has_others) png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* eng_image_init has ours */
    png_set_chunk_malloc_max(png, r->limits->chunk_bytes);
    png_set_chunk_cache_max(png, 16);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_read_fn(png, r, read_bytes);
    png_read_info(png, r->info);
    return ENG_OK;
}

/* Pixels as struct eng_image wants them: 8 bits, no palette, alpha where tRNS gives one. */
static void set_transforms(const struct reader *r)
{
    int depth = png_get_bit_depth(r->png, r->info);
    bool has_palette = png_get_color_type(r->png, r->info) == PNG_COLOR_TYPE_PALETTE;
    if (has_palette || depth < 8 || png_get_valid(r->png, r->info, PNG_INFO_tRNS))
        png_set_expand(r->png);
    /*
     * The high byte, as Pillow keeps it for colour. Pillow 9.4 reads 16-bit grey as integers and
     * its convert("L") clips them at 255, so almost all turns white; there we keep the high byte
     * too.
     */
    if (depth == 16) png_set_strip_16(r->png);
}

static uint32_t count_channels(const struct reader *r)
{
    unsigned type = png_get_color_type(r->png, r->info);
    bool has_alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(r->png, r->info, PNG_INFO_tRNS);
    return (type & PNG_COLOR_MASK_COLOR ? 3u : 1u) + (has_alpha ? 1u : 0u);
}

static void read_rows(struct reader *r, size_t row_bytes, int n_passes)
{
    for (int pass = 0; pass < n_passes; pass++) {
        for (uint32_t y = 0; y < r->image.height_px; y++) {
            r->row_budget_bytes = 4 * row_bytes + ROW_SLACK_BYTES;
            png_read_row(r->png, eng_image_row(&r->image, y), NULL);
        }
    }
    r->row_budget_bytes = SIZE_MAX;
}

/* Holds no local that changes after setjmp: all state is in r. */
static enum eng_status read_picture(struct reader *r)
{
    if (setjmp(r->on_error)) return r->status;
    enum eng_status status = read_header(r);
    if (status != ENG_OK) return status;
    /* Before png_read_update_info, which allocates a row of the width that the file claims. */
    status = eng_image_init("PNG", png_get_image_width(r->png, r->info),
                            png_get_image_height(r->png, r->info), count_channels(r), r->limits,
                            &r->image, r->err);
    if (status != ENG_OK) return status;
    set_transforms(r);
    int n_passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t row_bytes = png_get_rowbytes(r->png, r->info);
    if (row_bytes != (size_t)r->image.width_px * r->image.n_channels)
        png_error(r->png, "colour type and tRNS contradict each other");
    read_rows(r, row_bytes, n_passes);
    png_read_end(r->png, NULL);
    return ENG_OK;
}

static enum eng_status create_reader(struct reader *r)
{
    if (setjmp(r->on_error)) return r->status;
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, r, allocate,
                                      release);
    if (r->png) r->info = png_create_info_struct(r->png);
    return r->info ? ENG_OK : eng_fail_memory(r->err, "reading a PNG");
}

enum eng_status eng_codec_png_decode(const void *bytes, size_t n_bytes,
                                     const struct eng_image_limits *limits, struct eng_image *out,
                                     struct eng_error *err)
{
    alignas(max_align_t) uint8_t scratch[SCRATCH_BYTES];
    struct reader r = {
        .file = eng_cursor_over(bytes, n_bytes),
        .row_budget_bytes = SIZE_MAX,
        .limits = limits,
        .err = err,
        .scratch = scratch,
    };
    enum eng_status status = create_reader(&r);
    if (status == ENG_OK) status = read_picture(&r);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    if (status == ENG_OK)
        *out = r.image;
    else
        eng_image_fini(&r.image);
    return status;
}
