#include "train/toy.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/class_names.h"
#include "train/streams.h"

#include <math.h>

/* One point of a class; noise is a standard deviation. */
typedef void toy_fn(struct eng_rng *rng, size_t class, size_t n_classes, float noise, float *xy);

static void spiral(struct eng_rng *rng, size_t class, size_t n_classes, float noise, float *xy)
{
    float r = 1 - eng_rng_float(rng);
    float turn = 2 * (float)M_PI * (float)class / (float)n_classes;
    float angle = turn + 4 * r + noise * eng_rng_normal(rng);
    xy[0] = r * sinf(angle);
    xy[1] = r * cosf(angle);
}

static void blur(struct eng_rng *rng, float noise, float *xy)
{
    xy[0] += noise * eng_rng_normal(rng);
    xy[1] += noise * eng_rng_normal(rng);
}

static void circle(struct eng_rng *rng, size_t class, size_t n_classes, float noise, float *xy)
{
    (void)n_classes;
    float angle = 2 * (float)M_PI * eng_rng_float(rng), radius = class == 0 ? 1 : 0.5f;
    xy[0] = radius * cosf(angle);
    xy[1] = radius * sinf(angle);
    blur(rng, noise, xy);
}

static void moons(struct eng_rng *rng, size_t class, size_t n_classes, float noise, float *xy)
{
    (void)n_classes;
    float t = (float)M_PI * eng_rng_float(rng);
    xy[0] = class == 0 ? cosf(t) : 1 - cosf(t);
    xy[1] = class == 0 ? sinf(t) : 0.5f - sinf(t);
    blur(rng, noise, xy);
}

static toy_fn *const functions[] = {
    [ENG_TOY_SPIRAL] = spiral, [ENG_TOY_CIRCLE] = circle, [ENG_TOY_MOONS] = moons};

enum eng_status eng_toy_make(const struct eng_toy_options *options, uint64_t seed,
                             enum eng_split split, struct eng_dataset *out, struct eng_error *err)
{
    static const char *const names[] = {"x", "y"};
    struct eng_dataset set = {.kind = ENG_DATASET_VECTORS,
                              .n = (size_t)options->samples,
                              .n_features = 2,
                              .n_classes = (size_t)options->classes};
    set.features = eng_calloc(set.n * 2, sizeof *set.features);
    set.labels = eng_calloc(set.n, sizeof *set.labels);
    enum eng_status status = set.features && set.labels
                                 ? eng_class_names_copy(names, 2, &set.feature_names, err)
                                 : eng_fail_memory(err, "a data set");
    if (status != ENG_OK) {
        eng_dataset_fini(&set);
        return status;
    }
    struct eng_rng rng = eng_stream_rng(seed, ENG_STREAM_TOY, (uint64_t)split, 0);
    for (size_t i = 0; i < set.n; i++) {
        size_t class = i % set.n_classes;
        functions[options->kind](&rng, class, set.n_classes, (float)options->noise,
                                 set.features + 2 * i);
        set.labels[i] = (uint16_t) class;
    }
    *out = set;
    return ENG_OK;
}
