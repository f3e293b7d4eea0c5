/* Any bytes as CIFAR files, one behind the other, are a data set or an error sentence. */
#include "train/dataset_cifar.h"

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
    if (sum > 255u * set->n * ENG_CIFAR_PICTURE_BYTES) abort();
}

/* The first byte: the layout, and how many pictures the first file may hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const struct eng_cifar_layout layouts[] = {{1, 0, 10}, {2, 0, 20}, {2, 1, 100}};
    if (n_bytes == 0) return 0;
    const struct eng_cifar_layout *layout = &layouts[data[0] % 3];
    size_t first = data[0] / 3 * (layout->n_label_bytes + ENG_CIFAR_PICTURE_BYTES);
    data++;
    n_bytes--;
    if (first > n_bytes) first = n_bytes;
    const size_t sizes[] = {first, n_bytes - first};
    struct eng_dataset set = {0};
    for (size_t i = 0; i < 2; i++) {
        struct eng_error err = {0};
        uint8_t *bytes = malloc(sizes[i] + 1); /* a copy of its own: a read past it is seen */
        if (!bytes) abort();
        memcpy(bytes, i ? data + first : data, sizes[i]);
        enum eng_status status = eng_cifar_append("file", bytes, sizes[i], layout, &set, &err);
        free(bytes);
        if (status == ENG_OK) continue;
        if (!err.text[0]) abort();
        break;
    }
    if (set.n > 0) check(&set);
    eng_dataset_fini(&set);
    return 0;
}
