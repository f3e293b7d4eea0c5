#include "train/dataset_options.h"

/* In the order of enum eng_cifar100_labels. */
static const char *const cifar100_labels[] = {"fine", "coarse", NULL};

const struct eng_field eng_dataset_fields[] = {
    ENG_F_STRING(struct eng_dataset_options, dataset, "the folder of the data set below --data"),
    ENG_F_CHOICE(struct eng_dataset_options, cifar100_labels, ENG_CIFAR100_FINE, cifar100_labels,
                 "which of the two labels of a CIFAR-100 record"),
};

const size_t eng_n_dataset_fields = sizeof eng_dataset_fields / sizeof *eng_dataset_fields;

enum eng_status eng_dataset_options_read(const struct eng_json_place *place, const json_t *recipe,
                                         struct eng_dataset_options *out)
{
    struct eng_dataset_options options = {0};
    eng_fields_defaults(eng_dataset_fields, eng_n_dataset_fields, &options);
    for (size_t i = 0; i < eng_n_dataset_fields; i++) {
        const json_t *value = json_object_get(recipe, eng_dataset_fields[i].name);
        enum eng_status status =
            value ? eng_json_set(place, &eng_dataset_fields[i], value, &options) : ENG_OK;
        if (status != ENG_OK) return status;
    }
    *out = options;
    return ENG_OK;
}
