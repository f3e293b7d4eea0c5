/* Pictures that the tools draw: pixels, rectangles, dots and enlarged pictures on a ground. */
#ifndef TOOLS_CANVAS_H
#define TOOLS_CANVAS_H

#include "engine/image.h"

#include <stdint.h>

struct tool_color {
    uint8_t red, green, blue;
};

/* Purpose: a colour for each class, the first eight easy to tell apart; later ones come again,
 * paler. */
struct tool_color tool_class_color(size_t class);

/* Purpose: share of the way from a to b, 0 <= share <= 1. */
struct tool_color tool_color_mix(struct tool_color a, struct tool_color b, double share);

/*
 * Purpose: an RGB picture of one colour.
 * Ownership: on success end with eng_image_fini. Errors: LIMIT (more than 2^26 pixels), NO_MEMORY.
 */
enum eng_status tool_canvas_create(uint32_t width_px, uint32_t height_px, struct tool_color ground,
                                   struct eng_image *out, struct eng_error *err);

/* What lies outside of the canvas is not drawn; positions may be negative. Cannot fail. */

void tool_canvas_set(struct eng_image *canvas, int x, int y, struct tool_color color);

void tool_canvas_fill(struct eng_image *canvas, int x, int y, int width_px, int height_px,
                      struct tool_color color);

/* Purpose: a disc with smooth edges about (x, y). */
void tool_canvas_dot(struct eng_image *canvas, double x, double y, double radius_px,
                     struct tool_color color);

/* Purpose: a picture of 1 to 4 channels (alpha is dropped), each pixel as scale x scale ones, scale
 * >= 1. */
void tool_canvas_picture(struct eng_image *canvas, int x, int y, int scale,
                         const struct eng_image *picture);

/* Purpose: how often a picture of that size is enlarged to be about wanted_px wide and high. */
int tool_canvas_scale(uint32_t width_px, uint32_t height_px, uint32_t wanted_px);

#endif
