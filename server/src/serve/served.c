/* The life of one version, apart from its queue (batcher.c). */
#include "base/clock.h"
#include "base/fail.h"
#include "serve/served_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- parts --- */

static struct srv_series *series_of(const struct srv_served *served, enum srv_metric metric)
{
    const char *labels[] = {served->name, served->version};
    struct srv_metrics *metrics = served->options.metrics;
    return metrics ? srv_metrics_series(metrics, metric, labels) : NULL;
}

static struct srv_series *refusals_of(const struct srv_served *served, const char *reason)
{
    const char *labels[] = {reason, served->name};
    return srv_metrics_series(served->options.metrics, SRV_M_REFUSED, labels);
}

static void find_series(struct srv_served *served)
{
    served->batch_size = series_of(served, SRV_M_BATCH_SIZE);
    served->queue_seconds = series_of(served, SRV_M_QUEUE_SECONDS);
    served->decode_seconds = series_of(served, SRV_M_DECODE_SECONDS);
    served->compute_seconds = series_of(served, SRV_M_COMPUTE_SECONDS);
    served->request_compute_seconds = series_of(served, SRV_M_REQUEST_COMPUTE_SECONDS);
    served->request_series.inference_seconds = series_of(served, SRV_M_INFERENCE_SECONDS);
    served->request_series.encode_seconds = series_of(served, SRV_M_ENCODE_SECONDS);
    served->queue_full = refusals_of(served, "queue_full");
    served->overloaded = refusals_of(served, "overloaded");
    served->expired = refusals_of(served, "deadline_exceeded");
}

/* What the model's config.json says wins over the settings. */
static void read_batching(struct srv_served *served, const struct eng_batching *batching)
{
    const struct srv_served_options *options = &served->options;
    bool says_delay = batching->max_delay_us >= 0;
    served->has_own_queue = batching->max_queue > 0;
    served->max_queue = batching->max_queue ? (size_t)batching->max_queue : options->max_queue;
    served->max_delay_us = says_delay ? batching->max_delay_us : options->max_delay_us;
    served->default_priority =
        batching->default_priority ? (unsigned)batching->default_priority : SRV_DEFAULT_PRIORITY;
}

static enum eng_status open_model(struct srv_served *served, const struct srv_model_source *source,
                                  struct eng_error *err)
{
    const struct eng_model_options options = {.max_batch = served->options.max_batch,
                                              .precision = served->options.precision,
                                              .tuning = served->options.tuning,
                                              .tuning_cache = served->options.tuning_cache,
                                              .config_text = source->config};
    const char *place = source->bytes ? "the file that was sent" : source->folder;
    enum eng_status status =
        source->bytes
            ? eng_model_open_bytes(source->bytes, source->n_bytes, &options, &served->model, err)
            : eng_model_open(source->folder, &options, &served->model, err);
    if (status != ENG_OK) return status;
    const struct eng_card *card = eng_model_card(served->model);
    if (card->n_features > 0)
        return srv_fail(err, ENG_UNSUPPORTED,
                        "%s: the model takes vectors of %zu features, not pictures; only classify "
                        "run and classify eval take those",
                        place, card->n_features);
    if (!card->takes_images)
        return srv_fail(err, ENG_UNSUPPORTED, "%s: the model takes no pictures: %s", place,
                        card->no_pictures);
    read_batching(served, &card->batching);
    served->preprocess = &card->preprocess;
    served->n_classes = card->n_classes;
    /* Samples that run one after the other had better go to any worker that is free. */
    bool one_by_one = eng_model_runs_one_by_one(served->model);
    served->max_batch = one_by_one ? 1 : (size_t)eng_model_max_batch(served->model);
    return ENG_OK;
}

static enum eng_status create_slots(struct srv_served *served, struct eng_error *err)
{
    size_t n = (size_t)eng_pool_size(served->options.pool);
    served->slots = calloc(n, sizeof *served->slots);
    served->parts = calloc(n * served->max_batch, sizeof *served->parts);
    if (!served->slots || !served->parts) return srv_fail_memory(err, "the queue of a model");
    served->n_slots = served->n_free = n;
    for (size_t i = 0; i < n; i++) {
        struct srv_slot *slot = &served->slots[i];
        *slot = (struct srv_slot){.task.run = srv_batcher_run,
                                  .served = served,
                                  .parts = served->parts + i * served->max_batch,
                                  .next = served->free};
        served->free = slot;
        enum eng_status status =
            eng_session_create(served->model, served->options.pool, &slot->session, err);
        if (status == ENG_OK) status = srv_footprint_take_session(served, slot->session, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* --- warm-up --- */

/* Whether these are probabilities: of one right class, or each its own. Not a number is none. */
static enum eng_status check_row(const struct srv_served *served, const float *row,
                                 struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(served->model);
    double sum = 0;
    for (size_t i = 0; i < served->n_classes; i++) {
        sum += (double)row[i];
        if (card->independent && !(row[i] >= 0 && row[i] <= 1))
            return srv_fail(err, ENG_MISMATCH,
                            "model '%s' version %s: class %zu of a black picture has probability "
                            "%g, wanted 0 to 1",
                            served->name, served->version, i, (double)row[i]);
    }
    if (card->independent || fabs(sum - 1) < 1e-3) return ENG_OK;
    return srv_fail(err, ENG_MISMATCH,
                    "model '%s' version %s: the probabilities of a black picture sum to %g, "
                    "wanted 1; say softmax true in config.json if the output gives scores",
                    served->name, served->version, sum);
}

/* Runs a black picture: touches the memory, and shows that the answer is one. */
static enum eng_status run_once(const struct srv_served *served, struct eng_session *session,
                                struct eng_error *err)
{
    float *sample = eng_session_sample(session, 1, 0);
    memset(sample, 0, eng_preprocess_count(served->preprocess) * sizeof *sample);
    return check_row(served, eng_session_classify(session, 1), err);
}

/* Whether one picture takes less than inline_below_us: the best of several runs, because the
 * machine may be busy. */
static bool is_fast(const struct srv_served *served, struct eng_session *session)
{
    int64_t begin_us = srv_clock_us(), now_us = begin_us;
    for (int run = 0; run < 20 && now_us - begin_us < 10000; run++) {
        int64_t start_us = now_us;
        if (run_once(served, session, NULL) != ENG_OK) return false;
        now_us = srv_clock_us();
        if (now_us - start_us < served->options.inline_below_us) return true;
    }
    return false;
}

static enum eng_status add_inline(struct srv_served *served, struct eng_error *err)
{
    struct srv_inline *own = &served->inlines[served->n_inline];
    *own = (struct srv_inline){.taken = ATOMIC_FLAG_INIT};
    enum eng_status status = eng_session_create(served->model, NULL, &own->session, err);
    if (status != ENG_OK) return status;
    served->n_inline++;
    status = srv_footprint_take_session(served, own->session, err);
    if (status != ENG_OK) return status;
    return run_once(served, own->session, err);
}

/* Sessions without the pool: what is fast enough for this has no use for helpers. */
static enum eng_status create_inlines(struct srv_served *served, struct eng_error *err)
{
    size_t n = served->n_slots, n_bytes_before = served->memory_bytes;
    served->inlines = aligned_alloc(_Alignof(struct srv_inline), n * sizeof *served->inlines);
    if (!served->inlines) return srv_fail_memory(err, "the inline sessions of a model");
    enum eng_status status = add_inline(served, err);
    if (status == ENG_OK && !is_fast(served, served->inlines[0].session)) {
        eng_session_destroy(served->inlines[0].session);
        srv_footprint_give(served, served->memory_bytes - n_bytes_before);
        served->n_inline = 0;
        return ENG_OK;
    }
    while (status == ENG_OK && served->n_inline < n)
        status = add_inline(served, err);
    return status;
}

static enum eng_status warm_up(struct srv_served *served, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < served->n_slots && status == ENG_OK; i++)
        status = run_once(served, served->slots[i].session, err);
    if (status == ENG_OK) status = eng_session_check_golden(served->slots[0].session, err);
    if (status != ENG_OK || served->options.inline_below_us <= 0) return status;
    if (!is_fast(served, served->slots[0].session)) return ENG_OK;
    return create_inlines(served, err);
}

/* --- the whole --- */

enum eng_status srv_served_load_source(const char *model_name, const char *version,
                                       const struct srv_model_source *source,
                                       const struct srv_served_options *options,
                                       struct srv_served **out, struct eng_error *err)
{
    struct srv_served *served = calloc(1, sizeof *served);
    if (!served) return srv_fail_memory(err, "a model version");
    pthread_mutex_init(&served->lock, NULL);
    pthread_cond_init(&served->all_free, NULL);
    served->options = *options;
    served->image_bytes = options->limits.n_bytes;
    served->image_pixels = options->limits.n_pixels;
    served->name = strdup(model_name);
    served->version = strdup(version);
    enum eng_status status = ENG_OK;
    if (!served->name || !served->version) status = srv_fail_memory(err, "a model's name");
    if (status == ENG_OK) status = srv_footprint_take_file(served, source, err);
    if (status == ENG_OK) status = open_model(served, source, err);
    if (status == ENG_OK) status = create_slots(served, err);
    if (status == ENG_OK) status = warm_up(served, err);
    if (status == ENG_OK && !srv_counters_create(served->max_batch, served->counters))
        status = srv_fail_memory(err, "a model's statistics");
    if (status != ENG_OK) {
        srv_served_destroy(served);
        return status;
    }
    find_series(served);
    *out = served;
    return ENG_OK;
}

enum eng_status srv_served_load(const char *model_name, const char *version, const char *folder,
                                const struct srv_served_options *options, struct srv_served **out,
                                struct eng_error *err)
{
    return srv_served_load_source(model_name, version, &(struct srv_model_source){.folder = folder},
                                  options, out, err);
}

void srv_served_destroy(struct srv_served *served)
{
    if (!served) return;
    pthread_mutex_lock(&served->lock);
    while (served->n_free < served->n_slots)
        pthread_cond_wait(&served->all_free, &served->lock);
    pthread_mutex_unlock(&served->lock);
    for (size_t i = 0; i < served->n_slots; i++)
        eng_session_destroy(served->slots[i].session);
    for (size_t i = 0; i < served->n_inline; i++)
        eng_session_destroy(served->inlines[i].session);
    eng_model_destroy(served->model);
    srv_footprint_give(served, served->memory_bytes);
    free(served->counters[0]);
    free(served->inlines);
    free(served->slots);
    free(served->parts);
    pthread_cond_destroy(&served->all_free);
    pthread_mutex_destroy(&served->lock);
    free(served->name);
    free(served->version);
    free(served);
}

void srv_served_apply(struct srv_served *served, const struct srv_served_options *options)
{
    pthread_mutex_lock(&served->lock);
    if (!served->has_own_queue) served->max_queue = options->max_queue;
    pthread_mutex_unlock(&served->lock);
    served->image_bytes = options->limits.n_bytes;
    served->image_pixels = options->limits.n_pixels;
}

struct eng_image_limits srv_served_limits(const struct srv_served *served)
{
    struct eng_image_limits limits = served->options.limits;
    limits.n_bytes = served->image_bytes;
    limits.n_pixels = served->image_pixels;
    return limits;
}

const char *srv_served_name(const struct srv_served *served)
{
    return served->name;
}

const char *srv_served_version(const struct srv_served *served)
{
    return served->version;
}

const struct eng_model *srv_served_model(const struct srv_served *served)
{
    return served->model;
}

struct srv_request_series srv_served_request_series(const struct srv_served *served)
{
    return served->request_series;
}

struct srv_served_link *srv_served_link(struct srv_served *served)
{
    return &served->link;
}

size_t srv_served_session_bytes(const struct srv_served *served)
{
    return eng_session_arena_bytes(served->slots[0].session);
}

size_t srv_served_n_workers(const struct srv_served *served)
{
    return served->n_slots;
}

size_t srv_served_max_batch(const struct srv_served *served)
{
    return served->max_batch;
}

struct srv_served_batching srv_served_batching(const struct srv_served *served)
{
    return (struct srv_served_batching){
        .max_queue = served->max_queue,
        .max_delay_us = served->max_delay_us,
        .default_priority = served->default_priority,
    };
}
