/* One picture of a job: into a sample of a batch, out of a row of probabilities. */
#include "base/fail.h"
#include "serve/served_parts.h"
#include "serve/tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels that came as numbers are rounded to be shown. */
static enum srv_code show_pixels(const struct eng_preprocess *pre, const float *pixels,
                                 struct eng_image *seen, struct eng_error *err)
{
    size_t n = eng_preprocess_count(pre);
    struct eng_image picture = {pre->width_px, pre->height_px, eng_preprocess_channels(pre),
                                malloc(n)};
    if (!picture.pixels) return srv_code_of_status(srv_fail_memory(err, "the picture"));
    for (size_t i = 0; i < n; i++)
        picture.pixels[i] = (uint8_t)lrintf(pixels[i]);
    *seen = picture;
    return SRV_OK;
}

static enum srv_code read_pixels(const struct eng_preprocess *pre, const struct srv_sample *sample,
                                 float *dst, struct eng_image *seen, struct eng_error *err)
{
    size_t n_found = sample->n_bytes / sizeof(float), n_wanted = eng_preprocess_count(pre);
    if (n_found != n_wanted) {
        srv_fail(err, ENG_FORMAT,
                 "%zu pixel values, the model takes %zu (%u high, %u wide, %u channels)", n_found,
                 n_wanted, pre->height_px, pre->width_px, eng_preprocess_channels(pre));
        return SRV_INVALID_REQUEST;
    }
    eng_preprocess_pixels(pre, sample->data, dst);
    return seen ? show_pixels(pre, sample->data, seen, err) : SRV_OK;
}

static enum srv_code check_numbers(const struct srv_served *served, const float *values, size_t n,
                                   struct eng_error *err)
{
    const char *name;
    bool wants_bytes = eng_model_input(served->model, 0, &name).dtype == ENG_UINT8;
    size_t i = srv_tensor_find_bad(values, n, wants_bytes);
    if (i == n) return SRV_OK;
    srv_fail(err, ENG_FORMAT, "element %zu of input '%s' is %.9g; wanted %s", i, name,
             (double)values[i], wants_bytes ? "whole numbers of 0 to 255" : "finite numbers");
    return SRV_INVALID_REQUEST;
}

static enum srv_code read_tensor(const struct srv_served *served, const struct srv_sample *sample,
                                 float *dst, const struct eng_image *seen, struct eng_error *err)
{
    enum eng_dtype dtype = sample->dtype ? sample->dtype : ENG_FLOAT32;
    size_t n_found = sample->n_bytes / srv_tensor_bytes(dtype);
    size_t n_wanted = eng_preprocess_count(served->preprocess);
    if (n_found != n_wanted) {
        srv_fail(err, ENG_FORMAT, "%zu numbers, the model's input takes %zu", n_found, n_wanted);
        return SRV_INVALID_REQUEST;
    }
    if (seen) { /* its numbers may stand for anything */
        srv_fail(err, ENG_FORMAT, "a tensor cannot be shown as a picture");
        return SRV_INVALID_REQUEST;
    }
    srv_tensor_read(dtype, sample->data, n_wanted, dst);
    return check_numbers(served, dst, n_wanted, err);
}

/* The floats are made from the picture that is shown, so it is what the model sees. */
static enum eng_status read_shown(const struct eng_preprocess *pre, const struct srv_sample *sample,
                                  const struct eng_image_limits *limits, float *dst,
                                  struct eng_image *seen, struct eng_error *err)
{
    struct eng_image image;
    enum eng_status status = eng_image_decode(sample->data, sample->n_bytes, limits, &image, err);
    if (status != ENG_OK) return status;
    status = eng_preprocess_picture(pre, &image, seen, err);
    if (status == ENG_OK) eng_preprocess_bytes(pre, seen->pixels, dst);
    eng_image_fini(&image);
    return status;
}

enum srv_code srv_sample_read(const struct srv_served *served, const struct srv_sample *sample,
                              const struct eng_image_limits *limits, float *dst,
                              struct eng_image *seen, struct eng_error *err)
{
    const struct eng_preprocess *pre = served->preprocess;
    if (sample->kind == SRV_SAMPLE_PIXELS) return read_pixels(pre, sample, dst, seen, err);
    if (sample->kind == SRV_SAMPLE_TENSOR) return read_tensor(served, sample, dst, seen, err);
    enum eng_status status =
        seen ? read_shown(pre, sample, limits, dst, seen, err)
             : eng_preprocess_encoded(pre, sample->data, sample->n_bytes, limits, dst, err);
    return srv_code_of_status(status);
}

enum srv_code srv_sample_prepare(const struct srv_job *job, size_t i,
                                 const struct eng_image_limits *limits, float *dst,
                                 struct eng_error *err)
{
    const struct srv_sample *sample = &job->samples[i];
    if (!job->seen) return srv_sample_read(job->served, sample, limits, dst, NULL, err);
    struct eng_image picture;
    enum srv_code code = srv_sample_read(job->served, sample, limits, dst, &picture, err);
    if (code != SRV_OK) return code;
    struct srv_png *seen = &job->seen[i];
    code = srv_code_of_status(eng_image_encode_png(&picture, &seen->bytes, &seen->n_bytes, err));
    eng_image_fini(&picture);
    return code;
}

/* Numbers of the client's own may be too large for the network; pictures never are. */
static enum srv_code check_row(const struct srv_served *served, enum srv_sample_kind kind,
                               const float *row, struct eng_error *err)
{
    float sum = 0;
    for (size_t i = 0; i < served->n_classes; i++)
        sum += row[i];
    if (isfinite(sum)) return SRV_OK;
    srv_fail(err, ENG_MISMATCH,
             "model '%s' version %s answered a probability that is not a finite number",
             served->name, served->version);
    return kind == SRV_SAMPLE_TENSOR ? SRV_INVALID_REQUEST : SRV_INTERNAL;
}

enum srv_code srv_answer_take(struct srv_job *job, size_t i, const struct eng_session *session,
                              const float *probabilities, size_t row, struct eng_error *err)
{
    const struct srv_served *served = job->served;
    size_t n = served->n_classes;
    enum srv_code code = check_row(served, job->samples[i].kind, probabilities + row * n, err);
    memcpy(job->probabilities + i * n, probabilities + row * n, n * sizeof *probabilities);
    if (job->scores)
        memcpy(job->scores + i * n, eng_session_scores(session) + row * n, n * sizeof *job->scores);
    return code;
}
