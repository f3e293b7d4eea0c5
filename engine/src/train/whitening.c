#include "train/whitening.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double MAX_PRODUCTS = 4e9;
enum { MAX_PICTURES = 5000 };

/* The sums that a covariance is made of, over all patches. */
struct sums {
    size_t n_channels, height, width; /* of a picture */
    size_t kernel_height, kernel_width;
    size_t d;        /* values of a patch */
    size_t n;        /* patches */
    double *first;   /* [d] */
    double *second;  /* [d, d], the upper half */
    double *values;  /* [d] eigenvalues */
    double *vectors; /* [d, d] */
    float *picture;  /* [n_channels, height, width] */
};

static void take_patch(const struct sums *s, size_t row, size_t column, double *patch)
{
    for (size_t c = 0; c < s->n_channels; c++)
        for (size_t y = 0; y < s->kernel_height; y++)
            for (size_t x = 0; x < s->kernel_width; x++)
                *patch++ = (double)s->picture[(c * s->height + row + y) * s->width + column + x];
}

static void add_picture(struct sums *s)
{
    double patch[ENG_EIGEN_MAX_SIDE];
    for (size_t row = 0; row + s->kernel_height <= s->height; row++)
        for (size_t column = 0; column + s->kernel_width <= s->width; column++) {
            take_patch(s, row, column, patch);
            for (size_t i = 0; i < s->d; i++) {
                s->first[i] += patch[i];
                for (size_t k = i; k < s->d; k++)
                    s->second[i * s->d + k] += patch[i] * patch[k];
            }
            s->n++;
        }
}

/* A picture as the first layer sees it: standardised in both ways. */
static void take_picture(const struct eng_patch_source *source, size_t i, struct sums *s)
{
    const struct eng_input *input = source->input;
    eng_input_fill(input, source->train, i, NULL, NULL, NULL, s->picture);
    for (size_t k = 0; k < input->count; k++) {
        if (input->mean) s->picture[k] -= input->mean[k];
        if (input->deviation) s->picture[k] /= input->deviation[k];
    }
}

static void make_covariance(struct sums *s)
{
    double n = (double)s->n;
    for (size_t i = 0; i < s->d; i++)
        for (size_t k = i; k < s->d; k++) {
            double value = s->second[i * s->d + k] / n - s->first[i] / n * (s->first[k] / n);
            s->second[i * s->d + k] = s->second[k * s->d + i] = value;
        }
}

/* First the eigenvectors, then their negatives: what a ReLU cuts from one, the other keeps. */
static void write_weights(const struct sums *s, const struct eng_patch_kernel *kernel,
                          float *weights)
{
    size_t n = kernel->n_outputs < 2 * s->d ? kernel->n_outputs : 2 * s->d, half = (n + 1) / 2;
    for (size_t o = 0; o < n; o++) {
        size_t i = o < half ? o : o - half;
        double value = s->values[i] > 0 ? s->values[i] : 0;
        double scale = (o < half ? 1 : -1) / sqrt(value + kernel->epsilon);
        for (size_t k = 0; k < s->d; k++)
            weights[o * s->d + k] = (float)(scale * s->vectors[i * s->d + k]);
    }
}

static size_t count_pictures(const struct eng_patch_source *source, const struct sums *s)
{
    double positions =
        (double)(s->height - s->kernel_height + 1) * (double)(s->width - s->kernel_width + 1);
    double most = MAX_PRODUCTS / (positions * (double)s->d * (double)s->d / 2) + 1;
    size_t n = source->train->n < MAX_PICTURES ? source->train->n : MAX_PICTURES;
    return most < (double)n ? (size_t)most : n;
}

static enum eng_status check(const struct eng_patch_source *source, const struct sums *s,
                             struct eng_error *err)
{
    if (source->input->kind != ENG_DATASET_PICTURES)
        return eng_fail(err, ENG_FORMAT, "whitening needs samples that are pictures, not vectors");
    if (s->kernel_height > s->height || s->kernel_width > s->width)
        return eng_fail(err, ENG_FORMAT,
                        "a kernel of %zu x %zu to be whitened on pictures of %zu x %zu; wanted one "
                        "that fits into them",
                        s->kernel_height, s->kernel_width, s->height, s->width);
    if (s->kernel_height * s->kernel_width > ENG_EIGEN_MAX_SIDE || s->d > ENG_EIGEN_MAX_SIDE)
        return eng_fail(err, ENG_FORMAT,
                        "whitening a kernel of %zu channels x %zu x %zu; wanted at most %d values",
                        s->n_channels, s->kernel_height, s->kernel_width, ENG_EIGEN_MAX_SIDE);
    return ENG_OK;
}

enum eng_status eng_whitening_fill(const struct eng_patch_source *source,
                                   const struct eng_patch_kernel *kernel, float *weights,
                                   struct eng_error *err)
{
    const struct eng_preprocess *pre = &source->input->preprocess;
    struct sums s = {.n_channels = eng_preprocess_channels(pre),
                     .height = pre->height_px,
                     .width = pre->width_px,
                     .kernel_height = kernel->height,
                     .kernel_width = kernel->width,
                     .d = eng_preprocess_channels(pre) * kernel->height * kernel->width};
    enum eng_status status = check(source, &s, err);
    if (status != ENG_OK) return status;
    double *memory = eng_calloc(2 * s.d * (s.d + 1), sizeof *memory);
    s.picture = eng_calloc(source->input->count, sizeof *s.picture);
    if (memory && s.picture) {
        s.first = memory;
        s.values = s.first + s.d;
        s.second = s.values + s.d;
        s.vectors = s.second + s.d * s.d;
        for (size_t i = 0, n = count_pictures(source, &s); i < n; i++) {
            take_picture(source, i, &s);
            add_picture(&s);
        }
        make_covariance(&s);
        eng_eigen_symmetric(s.second, s.d, s.values, s.vectors);
        write_weights(&s, kernel, weights);
    } else {
        status = eng_fail_memory(err, "whitening");
    }
    free(memory);
    free(s.picture);
    return status;
}
