/*
 * How a convolution reads its images: as the rows of the im2col matrix, without making it.
 *
 * Tap t of channel c seen from output pixel p lies at  c * channel + taps[t] + start(p)  of a
 * source. Along a row of output pixels start grows by 1. So the source is the image itself if no
 * tap ever leaves it and the window steps by 1 along rows; else a copy with its padding, in which
 * the pixels that a window of stride s meets with one tap stand side by side: s planes per axis,
 * plane k holding the pixels k, k + s, k + 2 s ...
 */
#ifndef ENG_KERNELS_CONV_SOURCE_H
#define ENG_KERNELS_CONV_SOURCE_H

#include "kernels/window.h"

#include <stdbool.h>

enum eng_conv_source_kind { ENG_SOURCE_IMAGE, ENG_SOURCE_COPY };

struct eng_conv_source {
    enum eng_conv_source_kind kind;
    const struct eng_window *window;
    size_t
        n_planes[ENG_WINDOW_AXES]; /* planes per axis: the stride, or fewer if no tap needs them */
    size_t size[ENG_WINDOW_AXES];  /* of one plane */
    size_t n_rows, rows_per_slice; /* rows of output pixels: all, and those of one depth */
    size_t width;                  /* output pixels in a row */
    size_t row_step, slice_step;   /* floats from one row's source to the next, and depth's */
    size_t channel;                /* floats of one source channel */
    size_t span;                   /* floats from the first output pixel's source past the last's */
};

/* Purpose: chooses the kind. False: a size overflows. */
bool eng_conv_source_init(const struct eng_window *window, struct eng_conv_source *out);

/* Purpose: where each kernel tap lies; [kernel volume]. mirrored: the last tap first. */
void eng_conv_source_taps(const struct eng_conv_source *source, bool mirrored, ptrdiff_t *taps);

/* Purpose: fills one source channel from one plane of the image. Not for ENG_SOURCE_IMAGE. */
void eng_conv_source_fill(const struct eng_conv_source *source, const float *plane, float *channel);

/* Purpose: where row r of output pixels starts in a source channel. */
static inline size_t eng_conv_source_row(const struct eng_conv_source *s, size_t r)
{
    return r / s->rows_per_slice * s->slice_step + r % s->rows_per_slice * s->row_step;
}

#endif
