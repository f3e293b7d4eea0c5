/* Whom a nearest-neighbour model compares a picture with. */
#ifndef TOOLS_NEIGHBOURS_H
#define TOOLS_NEIGHBOURS_H

#include "engine/image.h"
#include "kernels/nearest.h"
#include "model/model_internal.h"

/* One picture's nearest among a model's references. Borrows the model. */
struct tool_neighbours {
    const struct eng_model *model;
    const struct eng_tensor *references, *labels;
    enum eng_distance distance;
    float *sample;                 /* the picture as the model sees it */
    struct eng_neighbour *nearest; /* [n] nearest first; L2: squared distances */
    size_t n;
};

/*
 * Purpose: finds the n nearest references of a picture, or all if there are fewer.
 * Ownership: end with tool_neighbours_fini in any case. pool may be NULL.
 * Errors: UNSUPPORTED (no KNearest node that compares the model's own input), LIMIT, NO_MEMORY.
 */
enum eng_status tool_neighbours_find(const struct eng_model *model, const struct eng_image *image,
                                     size_t n, struct eng_pool *pool, struct tool_neighbours *out,
                                     struct eng_error *err);
void tool_neighbours_fini(struct tool_neighbours *neighbours);

/* Purpose: the class of the i-th nearest. */
size_t tool_neighbours_class(const struct tool_neighbours *neighbours, size_t i);

/* Purpose: its distance, of L2 the root. */
double tool_neighbours_distance(const struct tool_neighbours *neighbours, size_t i);

/*
 * Purpose: draws the picture, framed in grey, then its neighbours, nearest first and framed in
 *          their classes' colours, row by row.
 * Ownership: on success end with eng_image_fini. Errors: LIMIT, NO_MEMORY.
 */
enum eng_status tool_neighbours_draw(const struct tool_neighbours *neighbours,
                                     struct eng_image *out, struct eng_error *err);

#endif
