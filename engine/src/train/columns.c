#include "train/columns.h"

#include <stdio.h>

struct eng_column eng_dataset_column(const struct eng_dataset *set, enum eng_column_name name)
{
    switch (name) {
    case ENG_COLUMN_PIXELS:
        return (struct eng_column){set->pixels, eng_dataset_sample_bytes(set)};
    case ENG_COLUMN_FEATURES:
        return (struct eng_column){(uint8_t *)set->features,
                                   set->n_features * sizeof *set->features};
    case ENG_COLUMN_LABELS:
        return (struct eng_column){(uint8_t *)set->labels, sizeof *set->labels};
    case ENG_COLUMN_TARGETS:
        return (struct eng_column){(uint8_t *)set->targets, sizeof *set->targets};
    default:
        return (struct eng_column){0};
    }
}

void eng_dataset_take_column(struct eng_dataset *set, enum eng_column_name name, void *bytes)
{
    if (name == ENG_COLUMN_PIXELS) set->pixels = bytes;
    if (name == ENG_COLUMN_FEATURES) set->features = bytes;
    if (name == ENG_COLUMN_LABELS) set->labels = bytes;
    if (name == ENG_COLUMN_TARGETS) set->targets = bytes;
}

/* One text that names everything, the long parts by their own digests. */
void eng_dataset_digest(const struct eng_dataset *set, char hex[ENG_DIGEST_CHARS])
{
    char text[640];
    int n = snprintf(text, sizeof text, "kind %d, n %zu, %u x %u x %u, features %zu, classes %zu",
                     (int)set->kind, set->n, set->width_px, set->height_px, set->n_channels,
                     set->n_features, set->n_classes);
    for (int name = 0; name < ENG_N_COLUMNS; name++) {
        const struct eng_column column = eng_dataset_column(set, (enum eng_column_name)name);
        char part[ENG_DIGEST_CHARS] = "none";
        if (column.bytes) eng_digest_sha256(column.bytes, set->n * column.sample_bytes, part);
        n += snprintf(text + n, sizeof text - (size_t)n, ", %s", part);
    }
    eng_digest_sha256(text, (size_t)n, hex);
}
