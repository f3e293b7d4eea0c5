#include "canvas.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/colors.h"

#include <math.h>

enum { MAX_PIXELS = 1 << 26, CHANNELS = 3 };

struct tool_color tool_class_color(size_t class)
{
    struct eng_explain_color color = eng_explain_class_color(class);
    return (struct tool_color){color.rgb[0], color.rgb[1], color.rgb[2]};
}

static uint8_t mix(uint8_t a, uint8_t b, double share)
{
    return (uint8_t)lround(a + (b - a) * share);
}

struct tool_color tool_color_mix(struct tool_color a, struct tool_color b, double share)
{
    return (struct tool_color){mix(a.red, b.red, share), mix(a.green, b.green, share),
                               mix(a.blue, b.blue, share)};
}

enum eng_status tool_canvas_create(uint32_t width_px, uint32_t height_px, struct tool_color ground,
                                   struct eng_image *out, struct eng_error *err)
{
    uint64_t n_pixels = (uint64_t)width_px * height_px;
    if (n_pixels == 0 || n_pixels > MAX_PIXELS)
        return eng_fail(err, ENG_LIMIT, "a picture of %u x %u pixels; wanted 1 to %d in all",
                        width_px, height_px, MAX_PIXELS);
    struct eng_image canvas = {width_px, height_px, CHANNELS, eng_calloc(n_pixels, CHANNELS)};
    if (!canvas.pixels) return eng_fail_memory(err, "a picture");
    tool_canvas_fill(&canvas, 0, 0, (int)width_px, (int)height_px, ground);
    *out = canvas;
    return ENG_OK;
}

/* NULL outside of the canvas. */
static uint8_t *pixel_at(struct eng_image *canvas, int x, int y)
{
    if (x < 0 || y < 0 || (uint32_t)x >= canvas->width_px || (uint32_t)y >= canvas->height_px)
        return NULL;
    return canvas->pixels + ((size_t)y * canvas->width_px + (size_t)x) * CHANNELS;
}

void tool_canvas_set(struct eng_image *canvas, int x, int y, struct tool_color color)
{
    uint8_t *pixel = pixel_at(canvas, x, y);
    if (!pixel) return;
    pixel[0] = color.red;
    pixel[1] = color.green;
    pixel[2] = color.blue;
}

void tool_canvas_fill(struct eng_image *canvas, int x, int y, int width_px, int height_px,
                      struct tool_color color)
{
    for (int row = 0; row < height_px; row++)
        for (int column = 0; column < width_px; column++)
            tool_canvas_set(canvas, x + column, y + row, color);
}

void tool_canvas_dot(struct eng_image *canvas, double x, double y, double radius_px,
                     struct tool_color color)
{
    int left = (int)floor(x - radius_px - 1), right = (int)ceil(x + radius_px + 1);
    int top = (int)floor(y - radius_px - 1), bottom = (int)ceil(y + radius_px + 1);
    for (int row = top; row <= bottom; row++)
        for (int column = left; column <= right; column++) {
            const uint8_t *old = pixel_at(canvas, column, row);
            double covered = radius_px + 0.5 - hypot(column - x, row - y);
            if (!old || covered <= 0) continue;
            struct tool_color under = {old[0], old[1], old[2]};
            tool_canvas_set(canvas, column, row,
                            tool_color_mix(under, color, covered < 1 ? covered : 1));
        }
}

void tool_canvas_picture(struct eng_image *canvas, int x, int y, int scale,
                         const struct eng_image *picture)
{
    size_t n_channels = picture->n_channels, green = n_channels >= 3 ? 1 : 0;
    for (uint32_t row = 0; row < picture->height_px; row++)
        for (uint32_t column = 0; column < picture->width_px; column++) {
            const uint8_t *p =
                picture->pixels + ((size_t)row * picture->width_px + column) * n_channels;
            struct tool_color color = {p[0], p[green], p[2 * green]};
            tool_canvas_fill(canvas, x + (int)column * scale, y + (int)row * scale, scale, scale,
                             color);
        }
}

int tool_canvas_scale(uint32_t width_px, uint32_t height_px, uint32_t wanted_px)
{
    uint32_t longer = width_px > height_px ? width_px : height_px;
    uint32_t scale = longer > 0 ? wanted_px / longer : 1;
    return scale > 1 ? (int)scale : 1;
}
