/* Weights, and what there is of each output channel, in the order in which kernels read them. */
#include "kernels/int8_packing.h"

#include "base/mem.h"

#include <string.h>

bool eng_int8_has_whole_rows(const struct eng_int8_conv *conv)
{
    return conv->groups == 1 && conv->window.dilation[2] == 1;
}

static size_t n_blocks(const struct eng_int8_conv *conv)
{
    return eng_int8_divide_up(conv->groups, eng_int8_kernels()->n_bytes);
}

bool eng_int8_block_bytes(const struct eng_int8_conv *conv, size_t *out)
{
    const struct eng_window *w = &conv->window;
    size_t rows = eng_int8_round_up((size_t)w->kernel[1], ENG_INT8_STEP);
    return eng_mul_size(rows, (size_t)w->kernel[2], out) &&
           eng_mul_size(*out, eng_int8_kernels()->n_bytes, out);
}

bool eng_int8_column_bytes(const struct eng_int8_conv *conv, size_t *out)
{
    const struct eng_window *w = &conv->window;
    size_t rows = (size_t)w->kernel[1], columns = (size_t)w->kernel[2], depth = conv->in_channels;
    if (eng_int8_has_whole_rows(conv) ? !eng_mul_size(depth, columns, &depth)
                                      : !eng_mul_size(rows, columns, &rows))
        return false;
    return depth < SIZE_MAX / 2 && eng_mul_size(rows, eng_int8_round_up(depth, ENG_INT8_STEP), out);
}

bool eng_int8_conv_columns(const struct eng_int8_conv *conv, size_t *out)
{
    if (conv->is_depthwise) return eng_mul_size(n_blocks(conv), eng_int8_kernels()->n_bytes, out);
    return eng_mul_size(conv->groups, eng_int8_round_up(conv->out_channels, ENG_INT8_COLUMN_STEP),
                        out);
}

bool eng_int8_conv_packed_bytes(const struct eng_int8_conv *conv, size_t *out)
{
    size_t each, columns;
    if (conv->is_depthwise)
        return eng_int8_block_bytes(conv, &each) && eng_mul_size(each, n_blocks(conv), out);
    return eng_int8_column_bytes(conv, &each) && eng_int8_conv_columns(conv, &columns) &&
           eng_mul_size(each, columns, out);
}

/* Where sum (q, lane) of a block's channel lies. */
static size_t place_in_block(size_t channel, size_t n_bytes)
{
    size_t lanes = n_bytes / 4, run = channel / 16, q = channel % 16 / 4;
    return q * lanes + run * 4 + channel % 4;
}

bool eng_int8_is_paired(const struct eng_int8_conv *conv)
{
    return conv->is_depthwise && conv->window.stride[2] == 1 && conv->groups % 16 == 0 &&
           2 * conv->groups == eng_int8_kernels()->n_bytes;
}

/* Where what belongs to output channel i stands among the columns. */
static size_t column_of(const struct eng_int8_conv *conv, size_t i)
{
    size_t n = conv->is_depthwise ? eng_int8_kernels()->n_bytes : conv->out_channels;
    if (conv->is_depthwise) return i / n * n + place_in_block(i % n, n);
    return i / n * eng_int8_round_up(n, ENG_INT8_COLUMN_STEP) + i % n;
}

void eng_int8_conv_place(const struct eng_int8_conv *conv, const void *from, void *to)
{
    enum { EACH = 4 };
    size_t n = conv->groups * conv->out_channels;
    for (size_t i = 0; i < (eng_int8_is_paired(conv) ? 2 * n : n); i++)
        memcpy((char *)to + column_of(conv, i) * EACH, (const char *)from + i % n * EACH, EACH);
}

static void pack_depthwise(const struct eng_int8_conv *conv, const int8_t *w, int8_t *packed)
{
    size_t n = eng_int8_kernels()->n_bytes, each = 0;
    size_t rows = (size_t)conv->window.kernel[1], columns = (size_t)conv->window.kernel[2];
    if (!eng_int8_block_bytes(conv, &each)) return;
    for (size_t c = 0; c < (eng_int8_is_paired(conv) ? 2 : 1) * conv->groups; c++) {
        int8_t *to = packed + c / n * each + place_in_block(c % n, n) * ENG_INT8_STEP;
        const int8_t *from = w + c % conv->groups * rows * columns;
        for (size_t row = 0; row < rows; row++)
            for (size_t column = 0; column < columns; column++)
                to[(row / ENG_INT8_STEP * columns + column) * n * ENG_INT8_STEP +
                   row % ENG_INT8_STEP] = *from++;
    }
}

/* One group: w [out_channels, in_channels, taps]; packed [panel][tap][k / 4][column][k % 4]. */
static void pack_group(const struct eng_int8_conv *conv, const int8_t *w, int8_t *packed)
{
    size_t n = conv->out_channels, taps = eng_window_volume(conv->window.kernel);
    size_t per_row = eng_int8_has_whole_rows(conv) ? (size_t)conv->window.kernel[2] : 1;
    size_t depth = per_row * conv->in_channels;
    for (size_t first = 0; first < n; first += ENG_INT8_COLUMNS) {
        size_t rest = eng_int8_round_up(n - first, ENG_INT8_COLUMN_STEP);
        size_t width = rest < ENG_INT8_COLUMNS ? rest : ENG_INT8_COLUMNS;
        for (size_t run = 0; run < taps / per_row; run++)
            for (size_t k = 0; k < depth; k += ENG_INT8_STEP, packed += width * ENG_INT8_STEP)
                for (size_t i = 0; i < width * ENG_INT8_STEP; i++) {
                    size_t at = k + i % ENG_INT8_STEP, j = first + i / ENG_INT8_STEP;
                    if (at >= depth || j >= n) continue;
                    size_t tap = run * per_row + at / conv->in_channels;
                    packed[i] = w[(j * conv->in_channels + at % conv->in_channels) * taps + tap];
                }
    }
}

void eng_int8_conv_pack(const struct eng_int8_conv *conv, const int8_t *w, int8_t *packed)
{
    size_t n = conv->out_channels * conv->in_channels * eng_window_volume(conv->window.kernel);
    size_t each = 0;
    if (conv->is_depthwise) {
        pack_depthwise(conv, w, packed);
        return;
    }
    if (!eng_int8_column_bytes(conv, &each)) return;
    for (size_t g = 0; g < conv->groups; g++)
        pack_group(conv, w + g * n,
                   packed + g * each * eng_int8_round_up(conv->out_channels, ENG_INT8_COLUMN_STEP));
}
