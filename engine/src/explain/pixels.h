/* Pixels of a prepared sample. */
#ifndef ENG_EXPLAIN_PIXELS_H
#define ENG_EXPLAIN_PIXELS_H

#include "engine/explain.h"
#include "engine/preprocess.h"

/* Purpose: pixels of the picture that the model sees. */
static inline size_t eng_explain_n_pixels(const struct eng_preprocess *pre)
{
    return (size_t)pre->width_px * pre->height_px;
}

/* Purpose: where channel c of a pixel (row-major) stands in a prepared sample. */
static inline size_t eng_explain_place(const struct eng_preprocess *pre, size_t pixel, size_t c)
{
    return pre->layout == ENG_LAYOUT_CHW ? c * eng_explain_n_pixels(pre) + pixel
                                         : pixel * eng_preprocess_channels(pre) + c;
}

/* Purpose: the baseline's value in each channel, as the graph gets it. sample: the picture, whose
 * mean colour it may be. */
void eng_explain_baseline_values(const struct eng_preprocess *pre, int baseline,
                                 const float *sample, float values[3]);

#endif
