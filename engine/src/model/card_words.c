/* What preprocessing is called elsewhere: torchvision, timm, Hugging Face, Keras, OpenCV. */
#include "model/card_parts.h"

#include <string.h>

static const struct {
    const char *word, *key;
} words[] = {
    {"size", "width and height"},
    {"image_size", "width and height"},
    {"input_size", "width and height"},
    {"img_size", "width and height"},
    {"crop_size", "width and height"},
    {"resize_size", "shorter_side"},
    {"interpolation", "filter"},
    {"resample", "filter"},
    {"crop_pct", "crop_percentage, 87.5 for 0.875"},
    {"image_mean", "mean"},
    {"image_std", "std"},
    {"normalize", "mean and std"},
    {"rescale_factor", "scale"},
    {"rescale", "scale"},
    {"channels", "color"},
    {"channel_order", "color"},
    {"data_format", "layout"},
};

const char *card_word_elsewhere(const char *name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, name) == 0) return words[i].key;
    return NULL;
}
