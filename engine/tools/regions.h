/* Decision regions: what a model answers everywhere in a plane, and the points it learnt from. */
#ifndef TOOLS_REGIONS_H
#define TOOLS_REGIONS_H

#include "canvas.h"
#include "trained.h"

/* Purpose: whether there is a plane: a classifier of vectors of two numbers. */
bool tool_regions_apply(const struct tool_trained *trained);

/*
 * Purpose: draws a square of side_px at (x, y): each place in the colour of the most probable
 *          class, paler where the model is less sure; the training samples on it as dots in the
 *          colour of their class. The axes have one scale, and all samples are inside.
 * Errors: NO_MEMORY, LIMIT. Cost: side_px^2 answers.
 */
enum eng_status tool_regions_draw(const struct tool_trained *trained, struct eng_image *canvas,
                                  int x, int y, int side_px, struct eng_error *err);

/* Purpose: dir/regions.png, of one model alone. Errors: IO too. */
enum eng_status tool_regions_write(const char *dir, const struct tool_trained *trained,
                                   struct eng_error *err);

#endif
