/* The inner loops of resampling: along a row, and down several. */
#ifndef ENG_IMAGE_RESAMPLE_H
#define ENG_IMAGE_RESAMPLE_H

#include "image/codec.h"
#include "image/weights.h"

/* Every output sample is the sum of its inputs times their weights, rounded to 8 bits. */
struct eng_resampling {
    /* Shapes: row is the input's, of 1 or 3 channels, dst gets x->n_out pixels and may be
     * written to behind them; both padded by ENG_ROW_PADDING. */
    void (*along)(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels,
                  uint8_t *dst);
    /*
     * dst[i] from rows[0][i], rows[1][i], ... of n_rows.
     * Shapes: rows of n bytes, padded; weight [n_rows], zeros behind it as in struct eng_weights.
     *         dst gets n bytes and no more.
     */
    void (*down)(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows, size_t n,
                 uint8_t *dst);
};

/* Purpose: the loops in plain C. */
extern const struct eng_resampling eng_resampling_portable;

/* Purpose: with AVX2, the same pixels; NULL where this CPU or this build has none. */
const struct eng_resampling *eng_resampling_avx2(void);

#endif
