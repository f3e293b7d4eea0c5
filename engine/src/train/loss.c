#include "train/loss.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/loss_kinds.h"

#include <stdlib.h>
#include <string.h>

#define L2 \
    ENG_F_FLOAT(struct eng_loss_options, l2, 0, 0, 1e6, "times the sum of all squared weights")

static const struct eng_field cross_entropy_fields[] = {
    ENG_F_FLOAT(struct eng_loss_options, label_smoothing, 0, 0, 0.99,
                "share of the target spread evenly over all classes"),
    L2,
};

static const struct eng_field hinge_fields[] = {
    ENG_F_FLOAT(struct eng_loss_options, margin, 1, 0, 1e6,
                "by how much the label's score is to be the highest"),
    L2,
};

static const struct eng_field mean_squared_error_fields[] = {L2};

const struct eng_kind eng_loss_kinds[] = {
#define LOSS(text, name, wants_values) ENG_KIND(text, name##_fields),
#include "train/loss.def"
#undef LOSS
};

const size_t eng_n_loss_kinds = sizeof eng_loss_kinds / sizeof *eng_loss_kinds;

static const struct {
    eng_loss_fn *run;
    bool wants_values;
} kinds[] = {
#define LOSS(text, name, wants_values) {eng_loss_##name, wants_values},
#include "train/loss.def"
#undef LOSS
};

bool eng_loss_wants_values(int kind)
{
    return kinds[kind].wants_values;
}

static size_t index_of_max(const float *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

static struct eng_loss_sample sample_of(const float *scores, const struct eng_loss_targets *targets,
                                        size_t i, size_t n_classes)
{
    struct eng_loss_sample sample = {.scores = scores + i * n_classes, .n = n_classes, .share = 1};
    if (targets->values) sample.values = targets->values + i * n_classes;
    if (targets->labels) sample.label = sample.other_label = targets->labels[i];
    if (targets->other_labels) {
        sample.other_label = targets->other_labels[i];
        sample.share = (double)targets->shares[i];
    }
    return sample;
}

static bool is_correct(const struct eng_loss_sample *sample)
{
    size_t main_label = sample->share < 0.5 ? sample->other_label : sample->label;
    return index_of_max(sample->scores, sample->n) == main_label;
}

struct eng_loss_sum eng_loss_run(const struct eng_loss_options *options, const float *scores,
                                 const struct eng_loss_targets *targets, size_t n, size_t n_classes,
                                 float *grad, double grad_scale)
{
    struct eng_loss_sum sum = {0};
    for (size_t i = 0; i < n; i++) {
        const struct eng_loss_sample sample = sample_of(scores, targets, i, n_classes);
        sum.loss += kinds[options->kind].run(options, &sample, grad_scale,
                                             grad ? grad + i * n_classes : NULL);
        sum.n_correct += targets->labels && is_correct(&sample);
    }
    return sum;
}

/* n / (K n_c); a class that does not occur counts 1. */
static enum eng_status balance(const uint16_t *labels, size_t n, size_t n_classes,
                               float *class_weights, struct eng_error *err)
{
    size_t *counts = eng_calloc(n_classes, sizeof *counts), n_present = 0;
    if (!counts) return eng_fail_memory(err, "the counts of the classes");
    for (size_t i = 0; i < n; i++)
        n_present += counts[labels[i]]++ == 0;
    for (size_t c = 0; c < n_classes; c++)
        class_weights[c] =
            counts[c] > 0 ? (float)((double)n / ((double)n_present * (double)counts[c])) : 1;
    free(counts);
    return ENG_OK;
}

/* So that the mean over the training samples is 1. */
static enum eng_status scale_to_mean(const uint16_t *labels, size_t n, size_t n_classes,
                                     float *class_weights, struct eng_error *err)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)class_weights[labels[i]];
    if (!(sum > 0))
        return eng_fail(err, ENG_FORMAT, "loss.class_weights make every training sample count 0");
    for (size_t c = 0; c < n_classes; c++)
        class_weights[c] = (float)((double)class_weights[c] * (double)n / sum);
    return ENG_OK;
}

static enum eng_status copy_weights(const struct eng_loss_options *options, size_t n_classes,
                                    float *class_weights, struct eng_error *err)
{
    if (options->n_class_weights != n_classes)
        return eng_fail(err, ENG_FORMAT,
                        "loss.class_weights has %zu numbers; wanted %zu, one per class",
                        options->n_class_weights, n_classes);
    memcpy(class_weights, options->class_weights, n_classes * sizeof *class_weights);
    return ENG_OK;
}

enum eng_status eng_loss_prepare(struct eng_loss_options *options, const uint16_t *labels, size_t n,
                                 size_t n_classes, float *class_weights, struct eng_error *err)
{
    if (!options->class_weights && !options->balanced) return ENG_OK;
    enum eng_status status = options->balanced
                                 ? balance(labels, n, n_classes, class_weights, err)
                                 : copy_weights(options, n_classes, class_weights, err);
    if (status == ENG_OK) status = scale_to_mean(labels, n, n_classes, class_weights, err);
    if (status == ENG_OK) options->class_weights = class_weights;
    return status;
}
