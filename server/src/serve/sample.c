/* One picture of a job: into a sample of a batch, out of a row of probabilities. */
#include "base/fail.h"
#include "serve/served_parts.h"

#include <math.h>

static enum srv_code prepare_pixels(const struct srv_served *served,
                                    const struct srv_sample *sample, float *dst,
                                    struct eng_error *err)
{
    const struct eng_preprocess *pre = served->preprocess;
    size_t n_found = sample->n_bytes / sizeof(float), n_wanted = eng_preprocess_count(pre);
    if (n_found != n_wanted) {
        srv_fail(err, ENG_FORMAT,
                 "%zu pixel values, the model takes %zu (%u high, %u wide, %u channels)", n_found,
                 n_wanted, pre->height_px, pre->width_px, eng_preprocess_channels(pre));
        return SRV_INVALID_REQUEST;
    }
    eng_preprocess_pixels(pre, sample->data, dst);
    return SRV_OK;
}

enum srv_code srv_sample_prepare(const struct srv_served *served, const struct srv_sample *sample,
                                 const struct eng_image_limits *limits, float *dst,
                                 struct eng_error *err)
{
    if (sample->kind == SRV_SAMPLE_PIXELS) return prepare_pixels(served, sample, dst, err);
    struct eng_image image;
    enum eng_status status = eng_image_decode(sample->data, sample->n_bytes, limits, &image, err);
    if (status != ENG_OK) return srv_code_of_status(status);
    status = eng_preprocess_image(served->preprocess, &image, dst, err);
    eng_image_fini(&image);
    return status == ENG_OK ? SRV_OK : srv_code_of_status(status);
}

enum srv_code srv_row_check(const struct srv_served *served, const float *row,
                            struct eng_error *err)
{
    float sum = 0;
    for (size_t i = 0; i < served->n_classes; i++)
        sum += row[i];
    if (isfinite(sum)) return SRV_OK;
    srv_fail(err, ENG_MISMATCH,
             "model '%s' version %s answered a probability that is not a finite number",
             served->name, served->version);
    return SRV_INTERNAL;
}
