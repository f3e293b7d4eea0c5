#include "caption.h"

#include <ctype.h>
#include <stdbool.h>

enum { GLYPH_WIDTH_PX = 5 };

static const struct glyph {
    char character;
    uint8_t rows[TOOL_CAPTION_HEIGHT_PX];
} glyphs[] = {
#define GLYPH(character, ...) {character, {__VA_ARGS__}},
#include "glyphs.def"
#undef GLYPH
};

/* The last row is '?'. */
enum { N_GLYPHS = sizeof glyphs / sizeof *glyphs };

static const struct glyph *find_glyph(char character)
{
    char wanted = (char)tolower((unsigned char)character);
    for (size_t i = 0; i < N_GLYPHS; i++)
        if (glyphs[i].character == wanted) return &glyphs[i];
    return &glyphs[N_GLYPHS - 1];
}

static void draw_glyph(struct eng_image *canvas, int x, int y, const struct glyph *glyph,
                       struct tool_color color)
{
    for (int row = 0; row < TOOL_CAPTION_HEIGHT_PX; row++)
        for (int column = 0; column < GLYPH_WIDTH_PX; column++)
            if (glyph->rows[row] >> (GLYPH_WIDTH_PX - 1 - column) & 1)
                tool_canvas_set(canvas, x + column, y + row, color);
}

void tool_caption(struct eng_image *canvas, int x, int y, int width_px, const char *text,
                  struct tool_color color)
{
    int end = x + width_px;
    for (; *text && x + GLYPH_WIDTH_PX <= end; text++, x += TOOL_CAPTION_ADVANCE_PX)
        draw_glyph(canvas, x, y, find_glyph(*text), color);
}
