/* How what int8_conv.h packs lies, for what packs it and what reads it. */
#ifndef ENG_KERNELS_INT8_PACKING_H
#define ENG_KERNELS_INT8_PACKING_H

#include "kernels/int8_conv.h"

/* A panel's columns are a multiple of that. */
enum { ENG_INT8_COLUMN_STEP = 16 };

static inline size_t eng_int8_divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static inline size_t eng_int8_round_up(size_t n, size_t to)
{
    return eng_int8_divide_up(n, to) * to;
}

/* Purpose: whether a row of taps is one run: all channels are read and no column is left out. */
bool eng_int8_has_whole_rows(const struct eng_int8_conv *conv);

/* Purpose: whether two pixels of half a block of channels each are taken as one pixel of a block:
 * windows step by 1. */
bool eng_int8_is_paired(const struct eng_int8_conv *conv);

/* Purpose: bytes of a block of channels; of a column of a panel. False: the size overflows. */
bool eng_int8_block_bytes(const struct eng_int8_conv *conv, size_t *out);
bool eng_int8_column_bytes(const struct eng_int8_conv *conv, size_t *out);

#endif
