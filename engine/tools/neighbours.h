/* Whom a nearest-neighbour model compares a picture with. */
#ifndef TOOLS_NEIGHBOURS_H
#define TOOLS_NEIGHBOURS_H

#include "engine/explain.h"

/* One picture's nearest among a model's training pictures. */
struct tool_neighbours {
    const char *const *labels;    /* the model's */
    struct eng_image asked;       /* the picture as the model sees it */
    struct eng_explanation found; /* by ENG_EXPLAIN_NEIGHBOURS */
};

/*
 * Purpose: finds the n nearest training pictures of a picture, or all if there are fewer.
 * Ownership: borrows the model; end with tool_neighbours_fini in any case. pool may be NULL.
 * Errors: UNSUPPORTED (no KNearest node that compares the model's own input), LIMIT, NO_MEMORY.
 */
enum eng_status tool_neighbours_find(const struct eng_model *model, const struct eng_image *image,
                                     size_t n, struct eng_pool *pool, struct tool_neighbours *out,
                                     struct eng_error *err);
void tool_neighbours_fini(struct tool_neighbours *neighbours);

#endif
