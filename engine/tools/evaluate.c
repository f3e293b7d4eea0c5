#include "evaluate.h"

#include "base/error.h"
#include "base/mem.h"
#include "classifier.h"
#include "engine/pool.h"
#include "engine/session.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What the workers share. */
struct run {
    const struct eng_model *model;
    const struct eng_dataset *set;
    uint32_t *predicted; /* of a classifier */
    float *values;       /* of a regression */
    atomic_size_t next;  /* first sample that nobody has taken */
    atomic_bool failed;
};

/* Bounds the confusion matrix: 128 MiB of counts. */
enum { MAX_CLASSES = 4096 };

struct worker {
    struct eng_task task; /* first: a worker is its task */
    struct run *run;
    struct eng_session *session;
    struct eng_error err;
};

static enum eng_status place(struct worker *worker, size_t sample, float *dst)
{
    const struct eng_dataset *set = worker->run->set;
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

/* Samples [begin, begin + n) through one session. */
static enum eng_status ask_batch(struct worker *worker, size_t begin, int n)
{
    const struct run *run = worker->run;
    size_t n_classes = eng_model_card(run->model)->n_classes;
    for (int i = 0; i < n; i++) {
        float *sample = eng_session_sample(worker->session, n, i);
        enum eng_status status = place(worker, begin + (size_t)i, sample);
        if (status) return status;
    }
    const float *answers = eng_session_classify(worker->session, n);
    for (size_t i = 0; i < (size_t)n; i++) {
        size_t best;
        if (n_classes == 0) {
            run->values[begin + i] = answers[i];
            continue;
        }
        tool_top_classes(answers + i * n_classes, n_classes, &best, 1);
        run->predicted[begin + i] = (uint32_t)best;
    }
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
        if (begin >= run->set->n) return;
        size_t left = run->set->n - begin;
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
    if (card->n_classes > MAX_CLASSES)
        return eng_fail(err, ENG_LIMIT, "the model has %zu classes, wanted at most %d",
                        card->n_classes, MAX_CLASSES);
    if (set->n_classes > card->n_classes)
        return eng_fail(err, ENG_MISMATCH, "the data have a class %zu, the model knows 0 to %zu",
                        set->n_classes - 1, card->n_classes - 1);
    return ENG_OK;
}

enum eng_status tool_evaluate(const struct eng_model *model, const struct eng_dataset *set,
                              int n_threads, struct tool_evaluation *out, struct eng_error *err)
{
    size_t n_classes = eng_model_card(model)->n_classes;
    enum eng_status status = check(eng_model_card(model), set, err);
    if (status) return status;
    struct tool_evaluation e = {.n_samples = set->n, .n_classes = n_classes};
    struct worker *workers = eng_calloc((size_t)n_threads, sizeof *workers);
    e.predicted = eng_calloc(set->n, sizeof *e.predicted);
    e.values = eng_calloc(set->n, sizeof *e.values);
    e.confusion = eng_calloc(n_classes * n_classes, sizeof *e.confusion);
    if (workers && e.predicted && e.values && e.confusion) {
        struct run run = {.model = model, .set = set, .predicted = e.predicted, .values = e.values};
        status = run_workers(&run, workers, n_threads, err);
    } else {
        status = eng_fail_memory(err, "the evaluation");
    }
    free(workers);
    if (status) {
        tool_evaluation_fini(&e);
        return status;
    }
    if (n_classes > 0)
        count(&e, set->labels);
    else
        measure(&e, set->targets);
    *out = e;
    return ENG_OK;
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
