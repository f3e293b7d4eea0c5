/* The two kinds of drawings. */
#ifndef ENG_EXPLAIN_DRAW_H
#define ENG_EXPLAIN_DRAW_H

#include "engine/explain.h"

/*
 * Purpose: an RGB picture, black. scale: how often the drawn picture is enlarged, 0: until both of
 *          its sides have wanted_px; set to what it is.
 * Errors: ARGUMENT (scale), NO_MEMORY.
 */
enum eng_status eng_explain_choose_scale(const struct eng_explain_view *view, uint32_t width_px,
                                         uint32_t height_px, uint32_t wanted_px, uint32_t *scale,
                                         struct eng_error *err);

/* Errors: LIMIT (more than 50 megapixels, or a side that no PNG may have), NO_MEMORY. */
enum eng_status eng_explain_create_drawing(uint64_t width_px, uint64_t height_px,
                                           struct eng_image *out, struct eng_error *err);

/* Purpose: as eng_explanation_draw. */
enum eng_status eng_explain_draw_map(const struct eng_explanation *explanation,
                                     const struct eng_model *model,
                                     const struct eng_explain_view *view, struct eng_image *out,
                                     struct eng_error *err);
enum eng_status eng_explain_draw_neighbours(const struct eng_explanation *explanation,
                                            const struct eng_explain_view *view,
                                            struct eng_image *out, struct eng_error *err);

#endif
