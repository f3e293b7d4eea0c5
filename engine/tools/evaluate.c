#include "evaluate.h"

#include "base/error.h"
#include "base/mem.h"
#include "classifier.h"
#include "engine/pool.h"
#include "engine/session.h"
#include "measure.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What the workers share. */
struct run {
    const struct eng_model *model;
    const struct eng_dataset *set;    /* or else */
    const struct tool_photos *photos; /* that are decoded on the way */
    size_t n;
    const uint16_t *labels;    /* [n] of a classifier */
    uint32_t *predicted;       /* of a classifier */
    float *values;             /* of a regression */
    atomic_size_t n_among_top; /* labels among the TOP most probable */
    atomic_size_t next;        /* first sample that nobody has taken */
    atomic_bool failed;
};

/* Bounds the confusion matrix: 128 MiB of counts. */
enum { MAX_CLASSES = 4096, TOP = 5 };

struct worker {
    struct eng_task task; /* first: a worker is its task */
    struct run *run;
    struct eng_session *session;
    struct eng_error err;
};

static enum eng_status place_photo(struct worker *worker, const char *path, float *dst)
{
    const struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    enum eng_status status = eng_image_load(path, &limits, &image, &worker->err);
    if (status) return status;
    status = eng_preprocess_image(&eng_model_card(worker->run->model)->preprocess, &image, dst,
                                  &worker->err);
    if (status) eng_error_context(&worker->err, "%s", path);
    eng_image_fini(&image);
    return status;
}

static enum eng_status place(struct worker *worker, size_t sample, float *dst)
{
    const struct eng_dataset *set = worker->run->set;
    if (!set) return place_photo(worker, worker->run->photos->paths[sample], dst);
    if (set->kind == ENG_DATASET_VECTORS) {
        memcpy(dst, eng_dataset_features(set, sample), set->n_features * sizeof *dst);
        return ENG_OK;
    }
    /* The picture is read only; struct eng_image has no const form. */
    struct eng_image image = {
        .width_px = set->width_px,
        .height_px = set->height_px,
        .n_channels = set->n_channels,
        .pixels = set->pixels + sample * eng_dataset_sample_bytes(set),
    };
    return eng_preprocess_image(&eng_model_card(worker->run->model)->preprocess, &image, dst,
                                &worker->err);
}

static void note_classes(struct run *run, size_t sample, const float *answer, size_t n_classes)
{
    size_t order[TOP], n = n_classes < TOP ? n_classes : TOP;
    tool_top_classes(answer, n_classes, order, n);
    run->predicted[sample] = (uint32_t)order[0];
    for (size_t k = 0; k < n; k++)
        if (order[k] == run->labels[sample]) atomic_fetch_add(&run->n_among_top, 1);
}

/* Samples [begin, begin + n) through one session. */
static enum eng_status ask_batch(struct worker *worker, size_t begin, int n)
{
    struct run *run = worker->run;
    size_t n_classes = eng_model_card(run->model)->n_classes;
    for (int i = 0; i < n; i++) {
        float *sample = eng_session_sample(worker->session, n, i);
        enum eng_status status = place(worker, begin + (size_t)i, sample);
        if (status) return status;
    }
    const float *answers = eng_session_classify(worker->session, n);
    for (size_t i = 0; i < (size_t)n; i++)
        if (n_classes == 0)
            run->values[begin + i] = answers[i];
        else
            note_classes(run, begin + i, answers + i * n_classes, n_classes);
    return ENG_OK;
}

static void run_worker(struct eng_task *task, int worker_index)
{
    (void)worker_index;
    struct worker *worker = (struct worker *)task;
    struct run *run = worker->run;
    size_t max_batch = (size_t)eng_model_max_batch(run->model);
    while (!atomic_load(&run->failed)) {
        size_t begin = atomic_fetch_add(&run->next, max_batch);
        if (begin >= run->n) return;
        size_t left = run->n - begin;
        if (ask_batch(worker, begin, (int)(left < max_batch ? left : max_batch)))
            atomic_store(&run->failed, true);
    }
}

/* One session and one task per thread; destroying the pool waits for them all. */
static enum eng_status run_workers(struct run *run, struct worker *workers, int n_threads,
                                   struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (int i = 0; i < n_threads && !status; i++) {
        workers[i] = (struct worker){.task.run = run_worker, .run = run};
        status = eng_session_create(run->model, NULL, &workers[i].session, err);
    }
    struct eng_pool *pool = NULL;
    if (!status && !(status = eng_pool_create(n_threads, &pool, err)))
        for (int i = 0; i < n_threads; i++)
            eng_pool_submit(pool, &workers[i].task);
    eng_pool_destroy(pool);
    for (int i = 0; i < n_threads; i++) {
        eng_session_destroy(workers[i].session);
        if (!status && workers[i].err.status)
            status = eng_fail(err, workers[i].err.status, "%s", workers[i].err.text);
    }
    return status;
}

static void count(struct tool_evaluation *evaluation, const uint16_t *labels)
{
    for (size_t i = 0; i < evaluation->n_samples; i++) {
        evaluation->confusion[labels[i] * evaluation->n_classes + evaluation->predicted[i]]++;
        evaluation->n_correct += evaluation->predicted[i] == labels[i];
    }
}

static void measure(struct tool_evaluation *evaluation, const float *targets)
{
    double mean = 0, error = 0, variance = 0, n = (double)evaluation->n_samples;
    for (size_t i = 0; i < evaluation->n_samples; i++)
        mean += (double)targets[i] / n;
    for (size_t i = 0; i < evaluation->n_samples; i++) {
        double off = (double)evaluation->values[i] - (double)targets[i];
        double from_mean = (double)targets[i] - mean;
        error += off * off / n;
        variance += from_mean * from_mean / n;
    }
    evaluation->mean_squared_error = error;
    evaluation->r_squared = variance > 0 ? 1 - error / variance : NAN;
}

static enum eng_status check_kind(const struct eng_card *card, const struct eng_dataset *set,
                                  struct eng_error *err)
{
    if (!card->takes_images && card->n_features == 0)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the model takes neither pictures nor vectors of named features");
    if (card->takes_images != (set->kind == ENG_DATASET_PICTURES))
        return eng_fail(err, ENG_MISMATCH, "the model takes %s, the data are %s",
                        card->takes_images ? "pictures" : "vectors",
                        card->takes_images ? "vectors" : "pictures");
    if (!card->takes_images && card->n_features != set->n_features)
        return eng_fail(err, ENG_MISMATCH, "the model takes %zu features, the data have %zu",
                        card->n_features, set->n_features);
    if ((card->n_classes == 0) != (set->targets != NULL))
        return eng_fail(err, ENG_MISMATCH, "the model predicts %s, the data have %s",
                        card->n_classes ? "classes" : "numbers",
                        card->n_classes ? "numbers" : "classes");
    return ENG_OK;
}

static enum eng_status check(const struct eng_card *card, const struct eng_dataset *set,
                             struct eng_error *err)
{
    enum eng_status status = check_kind(card, set, err);
    if (status) return status;
    if (set->n_classes > card->n_classes)
        return eng_fail(err, ENG_MISMATCH, "the data have a class %zu, the model knows 0 to %zu",
                        set->n_classes - 1, card->n_classes - 1);
    return ENG_OK;
}

static enum eng_status check_photos(const struct eng_card *card, const struct tool_photos *photos,
                                    struct eng_error *err)
{
    if (!card->takes_images || card->n_classes == 0)
        return eng_fail(err, ENG_MISMATCH, "the model does not classify pictures, the data do");
    for (size_t i = 0; i < photos->n; i++)
        if (photos->labels[i] >= card->n_classes)
            return eng_fail(err, ENG_MISMATCH, "%s: is of class %d, the model knows 0 to %zu",
                            photos->paths[i], photos->labels[i], card->n_classes - 1);
    return ENG_OK;
}

/* Runs over what run names. targets: of a regression. */
static enum eng_status evaluate(struct run *run, const float *targets, int n_threads,
                                struct tool_evaluation *out, struct eng_error *err)
{
    size_t n_classes = eng_model_card(run->model)->n_classes;
    if (n_classes > MAX_CLASSES)
        return eng_fail(err, ENG_LIMIT, "the model has %zu classes, wanted at most %d", n_classes,
                        MAX_CLASSES);
    struct tool_evaluation e = {.n_samples = run->n, .n_classes = n_classes};
    struct worker *workers = eng_calloc((size_t)n_threads, sizeof *workers);
    run->predicted = e.predicted = eng_calloc(run->n, sizeof *e.predicted);
    run->values = e.values = eng_calloc(run->n, sizeof *e.values);
    e.confusion = eng_calloc(n_classes * n_classes, sizeof *e.confusion);
    double start = tool_seconds();
    enum eng_status status = workers && e.predicted && e.values && e.confusion
                                 ? run_workers(run, workers, n_threads, err)
                                 : eng_fail_memory(err, "the evaluation");
    free(workers);
    if (status) {
        tool_evaluation_fini(&e);
        return status;
    }
    e.seconds = tool_seconds() - start;
    e.n_among_top_5 = atomic_load(&run->n_among_top);
    if (n_classes > 0)
        count(&e, run->labels);
    else
        measure(&e, targets);
    *out = e;
    return ENG_OK;
}

enum eng_status tool_evaluate(const struct eng_model *model, const struct eng_dataset *set,
                              int n_threads, struct tool_evaluation *out, struct eng_error *err)
{
    enum eng_status status = check(eng_model_card(model), set, err);
    if (status) return status;
    struct run run = {.model = model, .set = set, .n = set->n, .labels = set->labels};
    return evaluate(&run, set->targets, n_threads, out, err);
}

enum eng_status tool_evaluate_photos(const struct eng_model *model,
                                     const struct tool_photos *photos, int n_threads,
                                     struct tool_evaluation *out, struct eng_error *err)
{
    enum eng_status status = check_photos(eng_model_card(model), photos, err);
    if (status) return status;
    struct run run = {.model = model, .photos = photos, .n = photos->n, .labels = photos->labels};
    return evaluate(&run, NULL, n_threads, out, err);
}

void tool_evaluation_fini(struct tool_evaluation *evaluation)
{
    free(evaluation->predicted);
    free(evaluation->confusion);
    free(evaluation->values);
    *evaluation = (struct tool_evaluation){0};
}

size_t tool_evaluation_of_class(const struct tool_evaluation *evaluation, size_t class)
{
    size_t n = 0;
    for (size_t i = 0; i < evaluation->n_classes; i++)
        n += evaluation->confusion[class * evaluation->n_classes + i];
    return n;
}
