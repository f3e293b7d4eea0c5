#include "train/report.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/answers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The report is the first member: what is handed out is the whole. */
struct owned_report {
    struct eng_train_report report;
    struct eng_arena arena; /* everything that the report points to */
};

void eng_train_report_destroy(struct eng_train_report *report)
{
    if (!report) return;
    eng_arena_fini(&((struct owned_report *)report)->arena);
    free(report);
}

static const char *copy_text(struct eng_arena *arena, const char *text)
{
    return eng_arena_string(arena, text, strlen(text));
}

static bool copy_labels(struct owned_report *owned, const struct eng_data *data)
{
    const char **labels = eng_arena_alloc(&owned->arena, data->n_classes, sizeof *labels);
    for (size_t c = 0; labels && c < data->n_classes; c++) {
        labels[c] = copy_text(&owned->arena, data->labels[c]);
        if (!labels[c]) return false;
    }
    owned->report.labels = labels;
    return labels;
}

/* What the run knew without asking the model. */
static enum eng_status fill(struct owned_report *owned, const struct eng_method_run *run,
                            double seconds, struct eng_error *err)
{
    struct eng_train_report *r = &owned->report;
    const struct eng_history *history = run->history;
    const struct eng_data *data = run->data;
    for (size_t e = 0; e < history->n_resumed; e++)
        seconds += history->epochs[e].seconds;
    *r = (struct eng_train_report){
        .name = copy_text(&owned->arena, run->recipe->name),
        .recipe = copy_text(&owned->arena, run->recipe->text),
        .seed = run->recipe->seed,
        .n_train = history->n_train,
        .n_validation = data->validation.n,
        .n_test = data->test.n,
        .n_parameters = history->n_parameters,
        .seconds = seconds,
        .epochs = eng_arena_copy(&owned->arena, history->epochs,
                                 history->n_epochs * sizeof *history->epochs),
        .n_epochs = history->n_epochs,
        .kept_epoch = history->kept_epoch,
        .test_loss = history->kept_epoch ? history->epochs[history->kept_epoch - 1].test_loss : NAN,
        .test_accuracy = NAN,
        .n_classes = data->n_classes,
        .width_px = data->test.width_px,
        .height_px = data->test.height_px,
        .n_channels = data->test.n_channels,
    };
    if (!r->name || !r->recipe || !r->epochs || !copy_labels(owned, data))
        return eng_fail_memory(err, "the report");
    return ENG_OK;
}

/* Kept finite: a vote of none is not infinitely wrong. */
static double loss_of(const struct eng_answer *answer)
{
    return -log(fmax((double)answer->of_label, FLT_MIN));
}

static bool count(struct owned_report *owned, const struct eng_dataset *test,
                  const struct eng_answer *answers)
{
    struct eng_train_report *r = &owned->report;
    size_t k = r->n_classes, n_right = 0;
    size_t *n_samples = eng_arena_alloc(&owned->arena, k, sizeof *n_samples);
    size_t *n_correct = eng_arena_alloc(&owned->arena, k, sizeof *n_correct);
    size_t *confusion = NULL;
    if (k <= ENG_TRAIN_MAX_CONFUSION)
        confusion = eng_arena_alloc(&owned->arena, k * k, sizeof *confusion);
    if (!n_samples || !n_correct || (k <= ENG_TRAIN_MAX_CONFUSION && !confusion)) return false;
    for (size_t i = 0; i < test->n; i++) {
        bool right = answers[i].predicted == test->labels[i];
        n_samples[test->labels[i]]++;
        n_correct[test->labels[i]] += right;
        n_right += right;
        if (confusion) confusion[test->labels[i] * k + answers[i].predicted]++;
    }
    r->n_samples = n_samples;
    r->n_correct = n_correct;
    r->confusion = confusion;
    r->test_accuracy = (double)n_right / (double)test->n;
    return true;
}

/* Whether a is worse than b: the higher loss, then the surer answer, then the earlier sample. */
static bool is_worse(const struct eng_train_mistake *a, const struct eng_train_mistake *b)
{
    if (a->loss != b->loss) return a->loss > b->loss;
    return a->probability > b->probability;
}

/* Keeps the list sorted, the worst first, and no longer than it may be. */
static void note_mistake(struct eng_train_report *r, const struct eng_train_mistake *mistake)
{
    size_t at = r->n_mistakes;
    while (at > 0 && is_worse(mistake, &r->mistakes[at - 1]))
        at--;
    if (at == ENG_TRAIN_MAX_MISTAKES) return;
    if (r->n_mistakes < ENG_TRAIN_MAX_MISTAKES) r->n_mistakes++;
    memmove(&r->mistakes[at + 1], &r->mistakes[at],
            (r->n_mistakes - at - 1) * sizeof r->mistakes[0]);
    r->mistakes[at] = *mistake;
}

static bool find_mistakes(struct owned_report *owned, const struct eng_dataset *test,
                          const struct eng_answer *answers)
{
    struct eng_train_report *r = &owned->report;
    for (size_t i = 0; i < test->n; i++) {
        if (answers[i].predicted == test->labels[i]) continue;
        const struct eng_train_mistake mistake = {.sample = i,
                                                  .label = test->labels[i],
                                                  .predicted = answers[i].predicted,
                                                  .probability = (double)answers[i].probability,
                                                  .loss = loss_of(&answers[i])};
        note_mistake(r, &mistake);
    }
    for (size_t m = 0; test->pixels && m < r->n_mistakes; m++) {
        r->mistakes[m].pixels =
            eng_arena_copy(&owned->arena, eng_dataset_sample(test, r->mistakes[m].sample),
                           eng_dataset_sample_bytes(test));
        if (!r->mistakes[m].pixels) return false;
    }
    return true;
}

static enum eng_status examine(struct owned_report *owned, const struct eng_method_run *run,
                               const void *file, size_t n_bytes, struct eng_error *err)
{
    const struct eng_dataset *test = &run->data->test;
    struct eng_answer *answers = eng_calloc(test->n, sizeof *answers);
    enum eng_status status = answers ? ENG_OK : eng_fail_memory(err, "the report");
    if (status == ENG_OK)
        status = eng_answers_ask(file, n_bytes, run->data, (size_t)run->recipe->shards,
                                 run->options->pool, answers, err);
    if (status == ENG_OK && !(count(owned, test, answers) && find_mistakes(owned, test, answers)))
        status = eng_fail_memory(err, "the report");
    free(answers);
    return status;
}

enum eng_status eng_report_create(const struct eng_method_run *run, const void *file,
                                  size_t n_bytes, double seconds, struct eng_train_report **out,
                                  struct eng_error *err)
{
    struct owned_report *owned = eng_calloc(1, sizeof *owned);
    if (!owned) return eng_fail_memory(err, "the report");
    eng_arena_init(&owned->arena);
    enum eng_status status = fill(owned, run, seconds, err);
    if (status == ENG_OK && run->data->n_classes > 0)
        status = examine(owned, run, file, n_bytes, err);
    if (status == ENG_OK)
        *out = &owned->report;
    else
        eng_train_report_destroy(&owned->report);
    return status;
}
