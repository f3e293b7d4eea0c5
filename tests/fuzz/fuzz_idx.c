/* Any bytes, cut into an images and a labels file, are a data set or an error sentence. */
#include "train/dataset_idx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Reads every pixel and label, so that the sanitizer sees a wrong size. */
static void check(const struct eng_dataset *set)
{
    unsigned sum = 0;
    for (size_t i = 0; i < set->n; i++) {
        const uint8_t *pixels = eng_dataset_sample(set, i);
        for (size_t k = 0; k < eng_dataset_sample_bytes(set); k++)
            sum += pixels[k];
        if (set->labels[i] >= set->n_classes) abort();
    }
    if (set->n == 0 || sum > 255u * set->n * eng_dataset_sample_bytes(set)) abort();
}

/* The first two bytes say where the labels file begins. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes < 2) return 0;
    size_t at = (size_t)data[0] << 8 | data[1];
    data += 2;
    n_bytes -= 2;
    if (at > n_bytes) at = n_bytes;
    /* Copies of their own: a read past one does not land in the other. */
    uint8_t *images = malloc(at + 1), *labels = malloc(n_bytes - at + 1);
    if (!images || !labels) abort();
    memcpy(images, data, at);
    memcpy(labels, data + at, n_bytes - at);
    struct eng_dataset set;
    struct eng_error err = {0};
    if (eng_idx_parse("images", images, at, "labels", labels, n_bytes - at, &set, &err) == ENG_OK) {
        check(&set);
        eng_dataset_fini(&set);
    } else if (!err.text[0]) {
        abort();
    }
    free(images);
    free(labels);
    return 0;
}
