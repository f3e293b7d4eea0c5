#include "explain/pixels.h"

static double channel_mean(const struct eng_preprocess *pre, const float *sample, size_t c)
{
    double sum = 0;
    for (size_t pixel = 0; pixel < eng_explain_n_pixels(pre); pixel++)
        sum += (double)sample[eng_explain_place(pre, pixel, c)];
    return sum / (double)eng_explain_n_pixels(pre);
}

void eng_explain_baseline_values(const struct eng_preprocess *pre, int baseline,
                                 const float *sample, float values[3])
{
    static const float colors[] = {
        [ENG_EXPLAIN_BLACK] = 0, [ENG_EXPLAIN_GRAY] = 127.5f, [ENG_EXPLAIN_WHITE] = 255};
    for (size_t c = 0; c < eng_preprocess_channels(pre); c++) {
        if (baseline == ENG_EXPLAIN_ZERO)
            values[c] = 0;
        else if (baseline == ENG_EXPLAIN_MEAN)
            values[c] = (float)channel_mean(pre, sample, c);
        else
            values[c] = (colors[baseline] * pre->scale - pre->mean[c]) / pre->std[c];
    }
}
