#include "evaluate.h"

#include "base/error.h"
#include "base/mem.h"
#include "classifier.h"
#include "engine/pool.h"
#include "engine/session.h"

#include <stdatomic.h>
#include <stdlib.h>

/* What the workers share. */
struct run {
    const struct eng_model *model;
    const struct eng_dataset *set;
    uint32_t *predicted;
    atomic_size_t next; /* first sample that nobody has taken */
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

/* Samples [begin, begin + n) through one session. */
static enum eng_status classify_batch(struct worker *worker, size_t begin, int n)
{
    const struct run *run = worker->run;
    const struct eng_dataset *set = run->set;
    const struct eng_card *card = eng_model_card(run->model);
    for (int i = 0; i < n; i++) {
        /* The picture is read only; struct eng_image has no const form. */
        struct eng_image image = {
            .width_px = set->width_px,
            .height_px = set->height_px,
            .n_channels = set->n_channels,
            .pixels = set->pixels + (begin + (size_t)i) * eng_dataset_sample_bytes(set),
        };
        float *sample = eng_session_sample(worker->session, n, i);
        enum eng_status status =
            eng_preprocess_image(&card->preprocess, &image, sample, &worker->err);
        if (status) return status;
    }
    const float *probabilities = eng_session_classify(worker->session, n);
    for (size_t i = 0; i < (size_t)n; i++) {
        size_t best;
        tool_top_classes(probabilities + i * card->n_classes, card->n_classes, &best, 1);
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
        if (classify_batch(worker, begin, (int)(left < max_batch ? left : max_batch)))
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

enum eng_status tool_evaluate(const struct eng_model *model, const struct eng_dataset *set,
                              int n_threads, struct tool_evaluation *out, struct eng_error *err)
{
    size_t n_classes = eng_model_card(model)->n_classes;
    if (n_classes > MAX_CLASSES)
        return eng_fail(err, ENG_LIMIT, "the model has %zu classes, wanted at most %d", n_classes,
                        MAX_CLASSES);
    if (set->n_classes > n_classes)
        return eng_fail(err, ENG_MISMATCH, "the data have a class %zu, the model knows 0 to %zu",
                        set->n_classes - 1, n_classes - 1);
    struct tool_evaluation e = {.n_samples = set->n, .n_classes = n_classes};
    struct worker *workers = eng_calloc((size_t)n_threads, sizeof *workers);
    e.predicted = eng_calloc(set->n, sizeof *e.predicted);
    e.confusion = eng_calloc(n_classes * n_classes, sizeof *e.confusion);
    enum eng_status status;
    if (workers && e.predicted && e.confusion) {
        struct run run = {.model = model, .set = set, .predicted = e.predicted};
        status = run_workers(&run, workers, n_threads, err);
    } else {
        status = eng_fail_memory(err, "the evaluation");
    }
    free(workers);
    if (status) {
        tool_evaluation_fini(&e);
        return status;
    }
    count(&e, set->labels);
    *out = e;
    return ENG_OK;
}

void tool_evaluation_fini(struct tool_evaluation *evaluation)
{
    free(evaluation->predicted);
    free(evaluation->confusion);
    *evaluation = (struct tool_evaluation){0};
}

size_t tool_evaluation_of_class(const struct tool_evaluation *evaluation, size_t class)
{
    size_t n = 0;
    for (size_t i = 0; i < evaluation->n_classes; i++)
        n += evaluation->confusion[class * evaluation->n_classes + i];
    return n;
}
