/* Pixels to PNG through libpng, into memory; files are then replaced whole. */
#include "engine/image.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <inttypes.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    jmp_buf on_error;
    const struct eng_image *image;
    struct eng_error *err;
    enum eng_status status; /* of a call that ended in on_error */
    bool out_of_memory;
    png_structp png;
    png_infop info;
    uint8_t *bytes;
    size_t n_bytes, capacity;
};

static png_voidp allocate(png_structp png, png_alloc_size_t n_bytes)
{
    struct writer *w = png_get_mem_ptr(png);
    void *piece = malloc(n_bytes);
    if (!piece) w->out_of_memory = true;
    return piece;
}

static void release(png_structp png, png_voidp piece)
{
    (void)png;
    free(piece);
}

static void on_error(png_structp png, png_const_charp message)
{
    struct writer *w = png_get_error_ptr(png);
    w->status = w->out_of_memory ? eng_fail_memory(w->err, "writing a PNG")
                                 : eng_fail(w->err, ENG_ARGUMENT, "PNG: %s", message);
    longjmp(w->on_error, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void append(png_structp png, png_bytep from, size_t n)
{
    struct writer *w = png_get_io_ptr(png);
    size_t end;
    if (!eng_add_size(w->n_bytes, n, &end) || !eng_grow(&w->bytes, &w->capacity, end, 1)) {
        w->out_of_memory = true;
        png_error(png, "out of memory");
    }
    memcpy(w->bytes + w->n_bytes, from, n);
    w->n_bytes = end;
}

static void flush(png_structp png)
{
    (void)png;
}

static enum eng_status check(const struct eng_image *image, struct eng_error *err)
{
    if (image->n_channels < 1 || image->n_channels > 4)
        return eng_fail(err, ENG_ARGUMENT, "PNG: %" PRIu32 " channels, wanted 1 to 4",
                        image->n_channels);
    if (image->width_px < 1 || image->width_px > ENG_IMAGE_MAX_SIDE_PX || image->height_px < 1 ||
        image->height_px > ENG_IMAGE_MAX_SIDE_PX)
        return eng_fail(err, ENG_ARGUMENT,
                        "PNG: %" PRIu32 " x %" PRIu32 " pixels, a side must have 1 to %d",
                        image->width_px, image->height_px, ENG_IMAGE_MAX_SIDE_PX);
    return ENG_OK;
}

/* Holds no local that changes after setjmp: all state is in w. */
static enum eng_status write_picture(struct writer *w)
{
    static const int color_types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                                      PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    const struct eng_image *image = w->image;
    if (setjmp(w->on_error)) return w->status;
    w->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, w, on_error, on_warning, w, allocate,
                                       release);
    if (w->png) w->info = png_create_info_struct(w->png);
    if (!w->info) return eng_fail_memory(w->err, "writing a PNG");
    png_set_write_fn(w->png, w, append, flush);
    png_set_IHDR(w->png, w->info, image->width_px, image->height_px, 8,
                 color_types[image->n_channels - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    png_write_info(w->png, w->info);
    size_t row_bytes = (size_t)image->width_px * image->n_channels;
    for (uint32_t y = 0; y < image->height_px; y++)
        png_write_row(w->png, image->pixels + y * row_bytes);
    png_write_end(w->png, NULL);
    return ENG_OK;
}

enum eng_status eng_image_encode_png(const struct eng_image *image, uint8_t **bytes,
                                     size_t *n_bytes, struct eng_error *err)
{
    enum eng_status status = check(image, err);
    if (status != ENG_OK) return status;
    struct writer w = {.image = image, .err = err};
    status = write_picture(&w);
    png_destroy_write_struct(&w.png, &w.info);
    if (status != ENG_OK) {
        free(w.bytes);
        return status;
    }
    *bytes = w.bytes;
    *n_bytes = w.n_bytes;
    return ENG_OK;
}

enum eng_status eng_image_write_png(const char *path, const struct eng_image *image,
                                    struct eng_error *err)
{
    uint8_t *bytes;
    size_t n_bytes;
    enum eng_status status = eng_image_encode_png(image, &bytes, &n_bytes, err);
    if (status != ENG_OK) {
        eng_error_context(err, "%s", path);
        return status;
    }
    status = eng_file_write(path, bytes, n_bytes, err);
    free(bytes);
    return status;
}
