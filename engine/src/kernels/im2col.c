#include "kernels/im2col.h"

#include <string.h>

/* One tap's place in the image. */
struct tap {
    int64_t at[ENG_WINDOW_AXES];
    int64_t first_x, last_x; /* inside the image along the width */
};

/* The image row seen at output row (z, y), moved so that index x * stride is output x; NULL
 * outside. */
static int64_t row_offset(const struct eng_window *w, const struct tap *tap, int64_t z, int64_t y)
{
    int64_t iz = z * w->stride[0] + tap->at[0] * w->dilation[0] - w->pad_begin[0];
    int64_t iy = y * w->stride[1] + tap->at[1] * w->dilation[1] - w->pad_begin[1];
    if (iz < 0 || iz >= w->in[0] || iy < 0 || iy >= w->in[1]) return -1;
    return (iz * w->in[1] + iy) * w->in[2];
}

static void gather_row(const struct eng_window *w, const struct tap *tap, const float *row,
                       float *out)
{
    int64_t shift = tap->at[2] * w->dilation[2] - w->pad_begin[2], stride = w->stride[2];
    for (int64_t x = 0; x < tap->first_x; x++)
        out[x] = 0;
    if (stride == 1 && tap->last_x > tap->first_x)
        memcpy(out + tap->first_x, row + tap->first_x + shift,
               (size_t)(tap->last_x - tap->first_x) * sizeof *out);
    else
        for (int64_t x = tap->first_x; x < tap->last_x; x++)
            out[x] = row[x * stride + shift];
    for (int64_t x = tap->last_x; x < w->out[2]; x++)
        out[x] = 0;
}

static void scatter_row(const struct eng_window *w, const struct tap *tap, const float *in,
                        float *row)
{
    int64_t shift = tap->at[2] * w->dilation[2] - w->pad_begin[2], stride = w->stride[2];
    for (int64_t x = tap->first_x; x < tap->last_x; x++)
        row[x * stride + shift] += in[x];
}

static struct tap tap_at(const struct eng_window *w, int64_t index)
{
    struct tap tap = {.at = {index / (w->kernel[1] * w->kernel[2]),
                             index / w->kernel[2] % w->kernel[1], index % w->kernel[2]}};
    eng_window_reach(w, 2, tap.at[2], &tap.first_x, &tap.last_x);
    return tap;
}

void eng_im2col(const struct eng_window *w, const float *plane, float *columns)
{
    int64_t n_taps = (int64_t)eng_window_volume(w->kernel);
    for (int64_t k = 0; k < n_taps; k++) {
        struct tap tap = tap_at(w, k);
        for (int64_t z = 0; z < w->out[0]; z++) {
            for (int64_t y = 0; y < w->out[1]; y++, columns += w->out[2]) {
                int64_t at = row_offset(w, &tap, z, y);
                if (at < 0)
                    memset(columns, 0, (size_t)w->out[2] * sizeof *columns);
                else
                    gather_row(w, &tap, plane + at, columns);
            }
        }
    }
}

void eng_col2im(const struct eng_window *w, const float *columns, float *plane)
{
    int64_t n_taps = (int64_t)eng_window_volume(w->kernel);
    for (int64_t k = 0; k < n_taps; k++) {
        struct tap tap = tap_at(w, k);
        for (int64_t z = 0; z < w->out[0]; z++) {
            for (int64_t y = 0; y < w->out[1]; y++, columns += w->out[2]) {
                int64_t at = row_offset(w, &tap, z, y);
                if (at >= 0) scatter_row(w, &tap, columns, plane + at);
            }
        }
    }
}
