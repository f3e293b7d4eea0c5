/* Words in pictures, in small letters of five by seven pixels. */
#ifndef TOOLS_CAPTION_H
#define TOOLS_CAPTION_H

#include "canvas.h"

enum { TOOL_CAPTION_HEIGHT_PX = 7, TOOL_CAPTION_ADVANCE_PX = 6 };

/*
 * Purpose: writes text with its upper left corner at (x, y), cut to width_px; capitals become small
 *          letters, and '?' stands for a character that has no row in glyphs.def.
 */
void tool_caption(struct eng_image *canvas, int x, int y, int width_px, const char *text,
                  struct tool_color color);

#endif
