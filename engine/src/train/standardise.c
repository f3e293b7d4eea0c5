#include "train/standardise.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static enum eng_status allocate(size_t n, float **mean, float **deviation, struct eng_error *err)
{
    *mean = eng_calloc(n, sizeof **mean);
    *deviation = eng_calloc(n, sizeof **deviation);
    if (*mean && *deviation) return ENG_OK;
    free(*mean);
    free(*deviation);
    *mean = *deviation = NULL;
    return eng_fail_memory(err, "mean and deviation of the training set");
}

/* Whole numbers, so that the sums are exact: below 2^32 samples x 255^2. */
struct sums {
    uint64_t sum, sum_of_squares;
};

static void add_pictures(const struct eng_dataset *train, struct sums *sums)
{
    size_t n_bytes = eng_dataset_sample_bytes(train);
    for (size_t i = 0; i < train->n; i++) {
        const uint8_t *pixels = eng_dataset_sample(train, i);
        for (size_t k = 0; k < n_bytes; k++) {
            sums[k].sum += pixels[k];
            sums[k].sum_of_squares += (uint64_t)pixels[k] * pixels[k];
        }
    }
}

enum eng_status eng_standardise_pixels(const struct eng_dataset *train,
                                       const struct eng_preprocess *pre, float **mean,
                                       float **deviation, struct eng_error *err)
{
    size_t n_bytes = eng_dataset_sample_bytes(train), n_channels = train->n_channels;
    size_t n_pixels = n_bytes / n_channels;
    struct sums *sums = eng_calloc(n_bytes, sizeof *sums);
    enum eng_status status = sums ? allocate(n_bytes, mean, deviation, err)
                                  : eng_fail_memory(err, "mean and deviation of the training set");
    if (status == ENG_OK) {
        double n = (double)train->n;
        add_pictures(train, sums);
        for (size_t k = 0; k < n_bytes; k++) { /* [H, W, C] to [C, H, W] */
            size_t c = k % n_channels, to = c * n_pixels + k / n_channels;
            double level = (double)sums[k].sum / n;
            double variance = (double)sums[k].sum_of_squares / n - level * level;
            double grey_levels = sqrt(fmax(variance, 1));
            (*mean)[to] =
                (float)((level * (double)pre->scale - (double)pre->mean[c]) / (double)pre->std[c]);
            (*deviation)[to] = (float)(grey_levels * (double)pre->scale / (double)pre->std[c]);
        }
    }
    free(sums);
    return status;
}

enum eng_status eng_standardise_features(const struct eng_dataset *train, float **mean,
                                         float **deviation, struct eng_error *err)
{
    size_t n_features = train->n_features;
    enum eng_status status = allocate(n_features, mean, deviation, err);
    for (size_t f = 0; f < n_features && status == ENG_OK; f++) {
        const float *column = train->features + f;
        double n = (double)train->n, sum = 0, squares = 0;
        for (size_t i = 0; i < train->n; i++)
            sum += (double)column[i * n_features];
        for (size_t i = 0; i < train->n; i++) {
            double off = (double)column[i * n_features] - sum / n;
            squares += off * off;
        }
        float found = (float)sqrt(squares / n);
        bool varies = false;
        for (size_t i = 1; i < train->n && !varies; i++)
            varies = column[i * n_features] != column[0];
        (*mean)[f] = (float)(sum / n);
        (*deviation)[f] = varies && found > 0 ? found : 1;
    }
    return status;
}
