#include "kernels/softmax.h"

#include <math.h>

static void softmax_row(const float *x, float *y, size_t n)
{
    float max = x[0];
    for (size_t c = 1; c < n; c++)
        max = x[c] > max ? x[c] : max;
    float sum = 0.0f;
    for (size_t c = 0; c < n; c++) {
        y[c] = expf(x[c] - max);
        sum += y[c];
    }
    for (size_t c = 0; c < n; c++)
        y[c] /= sum;
}

void eng_kernel_softmax(const float *x, float *y, size_t n_rows, size_t n_columns)
{
    for (size_t r = 0; r < n_rows && n_columns > 0; r++)
        softmax_row(x + r * n_columns, y + r * n_columns, n_columns);
}
