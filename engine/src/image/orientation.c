#include "image/orientation.h"

#include "base/cursor.h"
#include "base/error.h"
#include "image/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */

enum {
    MARKER_START = 0xD8,
    MARKER_END = 0xD9,
    MARKER_SCAN = 0xDA,
    MARKER_APP1 = 0xE1,
    TAG_ORIENTATION = 0x0112,
    TYPE_SHORT = 3,
    ENTRY_BYTES = 12,
};

/* A TIFF's numbers have the byte order that its first two letters say. */
struct tiff {
    struct eng_cursor at;
    bool big_endian;
};

static uint16_t be16(struct eng_cursor *c)
{
    const uint8_t *p = eng_cursor_take(c, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static uint16_t tiff_u16(struct tiff *t)
{
    return t->big_endian ? be16(&t->at) : eng_cursor_le16(&t->at);
}

static uint32_t tiff_u32(struct tiff *t)
{
    return t->big_endian ? eng_cursor_be32(&t->at) : eng_cursor_le32(&t->at);
}

/* The value of an entry of the first directory: tag, type, count, value. */
static unsigned read_entry(struct tiff *t)
{
    uint16_t tag = tiff_u16(t), type = tiff_u16(t);
    uint32_t count = tiff_u32(t);
    uint16_t value = tiff_u16(t);
    eng_cursor_take(&t->at, 2);
    bool found = tag == TAG_ORIENTATION && type == TYPE_SHORT && count == 1 && !t->at.failed;
    return found ? value : 0;
}

static unsigned read_tiff(const uint8_t *bytes, size_t n)
{
    struct tiff t = {.at = eng_cursor_over(bytes, n)};
    const uint8_t *order = eng_cursor_take(&t.at, 2);
    if (!order || (memcmp(order, "MM", 2) != 0 && memcmp(order, "II", 2) != 0)) return 1;
    t.big_endian = order[0] == 'M';
    if (tiff_u16(&t) != 42) return 1;
    uint32_t offset = tiff_u32(&t);
    if (t.at.failed || offset > n) return 1;
    t.at = eng_cursor_over(bytes + offset, n - offset);
    for (uint16_t left = tiff_u16(&t); left > 0 && eng_cursor_left(&t.at) >= ENTRY_BYTES; left--) {
        unsigned value = read_entry(&t);
        if (value) return value <= 8 ? value : 1;
    }
    return 1;
}

static bool is_exif(uint8_t marker, const uint8_t *segment, size_t n)
{
    return marker == MARKER_APP1 && n >= 6 && memcmp(segment, "Exif\0\0", 6) == 0;
}

/* Markers without a length: TEM and the restarts, and the start itself. */
static bool stands_alone(uint8_t marker)
{
    return marker == 0x01 || (marker >= 0xD0 && marker <= MARKER_START);
}

unsigned eng_orientation_read(const void *jpeg, size_t n_bytes)
{
    struct eng_cursor c = eng_cursor_over(jpeg, n_bytes);
    while (!c.failed) {
        if (eng_cursor_u8(&c) != 0xFF) return 1;
        uint8_t marker = eng_cursor_u8(&c);
        while (marker == 0xFF) /* fill bytes */
            marker = eng_cursor_u8(&c);
        if (stands_alone(marker)) continue;
        if (marker == MARKER_SCAN || marker == MARKER_END) return 1;
        uint16_t n_segment = be16(&c);
        if (n_segment < 2) return 1;
        const uint8_t *segment = eng_cursor_take(&c, n_segment - 2u);
        if (segment && is_exif(marker, segment, n_segment - 2u))
            return read_tiff(segment + 6, n_segment - 8u);
    }
    return 1;
}

/* --- applying --- */

/* Where the upright picture's pixel (0, 0) lies, and how its axes run through the stored one. */
struct path {
    bool swapped;  /* width and height change places */
    bool mirror_x; /* the upright x runs against its stored axis */
    bool mirror_y;
};

static const struct path paths[9] = {
    [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
    [5] = {true, false, false}, [6] = {true, true, false}, [7] = {true, true, true},
    [8] = {true, false, true},
};

/* Where the upright picture's pixels are found: (0, 0), and the steps from pixel to pixel. */
struct walk {
    const uint8_t *begin;
    ptrdiff_t step_x, step_y;
};

static struct walk walk_of(const struct eng_image *from, const struct path *path,
                           const struct eng_image *to)
{
    ptrdiff_t n_channels = (ptrdiff_t)from->n_channels;
    ptrdiff_t row = (ptrdiff_t)from->width_px * n_channels;
    ptrdiff_t step_x = path->swapped ? row : n_channels;
    ptrdiff_t step_y = path->swapped ? n_channels : row;
    const uint8_t *begin = from->pixels;
    if (path->mirror_x) begin += step_x * (ptrdiff_t)(to->width_px - 1);
    if (path->mirror_y) begin += step_y * (ptrdiff_t)(to->height_px - 1);
    return (struct walk){.begin = begin,
                         .step_x = path->mirror_x ? -step_x : step_x,
                         .step_y = path->mirror_y ? -step_y : step_y};
}

enum { TILE = 32 }; /* pixels; of a column of a large picture each lies on a page of its own */

static uint32_t tile_end(uint32_t begin, uint32_t n)
{
    return n - begin < TILE ? n : begin + TILE;
}

/* Inlined with n_channels known, so that the inner loop has no call. */
static inline __attribute__((always_inline)) void copy_tile(const struct walk *walk, uint32_t x0,
                                                            uint32_t y0, uint32_t n_channels,
                                                            struct eng_image *to)
{
    uint32_t x_end = tile_end(x0, to->width_px), y_end = tile_end(y0, to->height_px);
    for (uint32_t y = y0; y < y_end; y++) {
        const uint8_t *src =
            walk->begin + walk->step_y * (ptrdiff_t)y + walk->step_x * (ptrdiff_t)x0;
        uint8_t *dst = eng_image_row(to, y) + (size_t)x0 * n_channels;
        for (uint32_t x = x0; x < x_end; x++, src += walk->step_x, dst += n_channels)
            memcpy(dst, src, n_channels);
    }
}

static void copy_upright(const struct eng_image *from, const struct path *path,
                         struct eng_image *to)
{
    const struct walk walk = walk_of(from, path, to);
    for (uint32_t y = 0; y < to->height_px; y += TILE)
        for (uint32_t x = 0; x < to->width_px; x += TILE) {
            if (from->n_channels == 1)
                copy_tile(&walk, x, y, 1, to);
            else
                copy_tile(&walk, x, y, 3, to);
        }
}

enum eng_status eng_orientation_apply(struct eng_image *image, unsigned orientation,
                                      struct eng_error *err)
{
    if (orientation < 2 || orientation > 8) return ENG_OK;
    const struct path *path = &paths[orientation];
    struct eng_image upright = *image;
    if (path->swapped) {
        upright.width_px = image->height_px;
        upright.height_px = image->width_px;
    }
    upright.pixels =
        eng_image_alloc((size_t)image->height_px * image->width_px * image->n_channels);
    if (!upright.pixels) return eng_fail_memory(err, "turning a picture upright");
    copy_upright(image, path, &upright);
    eng_image_fini(image);
    *image = upright;
    return ENG_OK;
}
