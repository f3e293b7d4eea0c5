/* Resampling as Pillow does it: separable, horizontal first, 8 bits after each pass. */
#ifndef ENG_IMAGE_RESIZE_H
#define ENG_IMAGE_RESIZE_H

#include "engine/preprocess.h"
#include "image/codec.h"

/* One axis: n_in samples become n_resized, of which n_out from first on are computed. */
struct eng_axis {
    uint32_t n_in;
    uint64_t n_resized;
    uint64_t first;
    uint32_t n_out;
};

/* How: all zero is Pillow's BILINEAR on black. */
struct eng_sampling {
    enum eng_filter filter;
    bool aliased;
    uint8_t background[3]; /* red, green, blue */
};

/*
 * Purpose: resamples the window of x.n_out by y.n_out pixels in the colours wanted (1 or 3
 *          channels); reads only the rows that the window needs.
 * Shapes: dst row i begins at dst + i * dst_stride_bytes and gets x.n_out * n_channels bytes.
 * Errors: NO_MEMORY. Both n_in are the picture's sides, first + n_out <= n_resized, none is 0.
 * Cost: memory for the filter weights (linear in a side), a row, and as many rows of the window's
 *       width as one output row is made of.
 * Source: see enum eng_filter; Pillow 9.4's antialiasing scales the filter by the reduction ratio.
 */
enum eng_status eng_resize(const struct eng_image *image, uint32_t n_channels,
                           const struct eng_axis *x, const struct eng_axis *y,
                           const struct eng_sampling *how, uint8_t *dst, size_t dst_stride_bytes,
                           struct eng_error *err);

/* Purpose: the same of rows as they come, where eng_sampling_is_separable. Errors: those of the
 * rows too, whose sentence is theirs. */
enum eng_status eng_resize_rows(const struct eng_rows *rows, uint32_t n_channels,
                                const struct eng_axis *x, const struct eng_axis *y,
                                const struct eng_sampling *how, uint8_t *dst,
                                size_t dst_stride_bytes, struct eng_error *err);

/* Purpose: whether each row of the picture is needed by itself, one after the other. */
bool eng_sampling_is_separable(enum eng_filter filter, bool aliased);

#endif
