#include "kernels/nhwc_tuning.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/stopwatch.h"
#include "kernels/nhwc.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_ENTRIES = 512, MIN_RUNS = 3, MAX_RUNS = 30 };

static const double WAY_S = 0.01;    /* no further run of a way after that */
static const double GAIN = 1.0 / 16; /* less than that may be chance */

/* --- the cache --- */

/* A shape, in numbers without gaps between them. The level is the process's. */
struct key {
    int64_t numbers[6 * ENG_WINDOW_AXES + 4];
};

struct entry {
    struct key key;
    enum eng_nhwc_method method;
};

struct eng_tuning_cache {
    pthread_mutex_t lock;
    size_t n_noted; /* ever; the entry that is written next is n_noted % N_ENTRIES */
    struct entry entries[N_ENTRIES];
};

enum eng_status eng_tuning_cache_create(struct eng_tuning_cache **out, struct eng_error *err)
{
    struct eng_tuning_cache *cache = eng_calloc(1, sizeof *cache);
    if (!cache) return eng_fail_memory(err, "a tuning cache");
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return ENG_OK;
}

void eng_tuning_cache_destroy(struct eng_tuning_cache *cache)
{
    if (!cache) return;
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct key key_of(const struct eng_nhwc_conv *conv, size_t n_convolutions)
{
    const struct eng_window *w = &conv->window;
    struct key key = {0};
    int64_t *n = key.numbers;
    for (int a = 0; a < ENG_WINDOW_AXES; a++) {
        const int64_t axis[] = {w->in[a],     w->out[a],      w->kernel[a],
                                w->stride[a], w->dilation[a], w->pad_begin[a]};
        memcpy(n, axis, sizeof axis);
        n += sizeof axis / sizeof *axis;
    }
    *n++ = (int64_t)conv->groups;
    *n++ = (int64_t)conv->in_channels;
    *n++ = (int64_t)conv->out_channels;
    for (int i = 0; i < ENG_N_NHWC_METHODS; i++)
        *n |= (int64_t)eng_nhwc_conv_bears(conv, (enum eng_nhwc_method)i, n_convolutions) << i;
    return key;
}

static bool recall(struct eng_tuning_cache *cache, const struct key *key, enum eng_nhwc_method *out)
{
    bool found = false;
    if (!cache) return false;
    pthread_mutex_lock(&cache->lock);
    size_t n = cache->n_noted < N_ENTRIES ? cache->n_noted : N_ENTRIES;
    for (size_t i = 0; i < n && !found; i++) {
        found = memcmp(&cache->entries[i].key, key, sizeof *key) == 0;
        if (found) *out = cache->entries[i].method;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

static void note(struct eng_tuning_cache *cache, const struct key *key, enum eng_nhwc_method method)
{
    if (!cache) return;
    pthread_mutex_lock(&cache->lock);
    cache->entries[cache->n_noted++ % N_ENTRIES] = (struct entry){*key, method};
    pthread_mutex_unlock(&cache->lock);
}

/* --- measuring --- */

/* One way, ready to run. */
struct trial {
    struct eng_nhwc_conv conv;
    float *x, *packed, *y;
    void *scratch;
};

static void trial_fini(struct trial *t)
{
    free(t->x);
    free(t->packed);
    free(t->y);
    free(t->scratch);
}

static float *floats(size_t n)
{
    size_t n_bytes;
    float *data = eng_mul_size(n, sizeof *data, &n_bytes) ? eng_alloc_aligned(n_bytes) : NULL;
    for (size_t i = 0; data && i < n; i++)
        data[i] = (float)(i % 61) / 61.0f - 0.5f; /* no kernel's time depends on the numbers */
    return data;
}

static enum eng_status trial_init(struct trial *t, const struct eng_nhwc_conv *conv,
                                  enum eng_nhwc_method method, const float *w,
                                  struct eng_error *err)
{
    size_t n_packed, n_scratch;
    *t = (struct trial){.conv = *conv};
    t->conv.method = method;
    t->conv.n_images = 1;
    if (!eng_nhwc_conv_packed_floats(&t->conv, &n_packed) ||
        !eng_nhwc_conv_scratch_bytes(&t->conv, &n_scratch))
        return eng_fail_memory(err, "a convolution to be measured");
    t->x = floats(eng_window_volume(conv->window.in) * conv->groups * conv->in_channels);
    t->y = floats(eng_window_volume(conv->window.out) * conv->groups * conv->out_channels);
    t->packed = floats(n_packed);
    t->scratch = eng_alloc_aligned(n_scratch);
    if (!t->x || !t->y || !t->packed || !t->scratch) {
        trial_fini(t);
        return eng_fail_memory(err, "a convolution to be measured");
    }
    eng_nhwc_conv_pack(&t->conv, w, t->packed);
    return ENG_OK;
}

/* Seconds of the fastest run; of the thread's own time, which other load hardly changes. */
static double time_trial(const struct trial *t)
{
    const struct eng_nhwc_conv_call call = {
        .x = t->x, .packed = t->packed, .y = t->y, .scratch = t->scratch};
    double best = INFINITY, sum = 0;
    for (int i = 0; i < MAX_RUNS && (i < MIN_RUNS || sum < WAY_S); i++) {
        double start = eng_stopwatch_cpu_s();
        eng_nhwc_conv_forward(&t->conv, &call);
        double seconds = eng_stopwatch_cpu_s() - start;
        sum += seconds;
        best = seconds < best ? seconds : best;
        if (sum > 2 * WAY_S) break;
    }
    return best;
}

static bool may_take(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method,
                     size_t n_convolutions)
{
    return eng_nhwc_conv_can(conv, method) && eng_nhwc_conv_bears(conv, method, n_convolutions);
}

size_t eng_nhwc_conv_n_ways(const struct eng_nhwc_conv *conv, size_t n_convolutions)
{
    size_t n = 0;
    for (int i = 0; i < ENG_N_NHWC_METHODS; i++)
        n += may_take(conv, (enum eng_nhwc_method)i, n_convolutions);
    return n;
}

/* The fastest of all ways; the one of the shapes has a little start. */
static enum eng_status compare(const struct eng_nhwc_conv *conv, size_t n_convolutions,
                               const float *w, enum eng_nhwc_method *out, struct eng_error *err)
{
    double best = INFINITY;
    enum eng_nhwc_method found = conv->method;
    for (int i = 0; i < ENG_N_NHWC_METHODS; i++) {
        enum eng_nhwc_method method = (enum eng_nhwc_method)i;
        struct trial trial;
        if (!may_take(conv, method, n_convolutions)) continue;
        enum eng_status status = trial_init(&trial, conv, method, w, err);
        if (status != ENG_OK) return status;
        double seconds = time_trial(&trial);
        trial_fini(&trial);
        if (method == conv->method) seconds *= 1 - GAIN;
        if (seconds >= best) continue;
        best = seconds;
        found = method;
    }
    *out = found;
    return ENG_OK;
}

enum eng_status eng_nhwc_conv_measure(const struct eng_nhwc_conv *conv, size_t n_convolutions,
                                      const float *w, struct eng_nhwc_tuner *tuner,
                                      enum eng_nhwc_method *out, struct eng_error *err)
{
    const struct key key = key_of(conv, n_convolutions);
    if (recall(tuner->cache, &key, out)) return ENG_OK;
    if (tuner->budget_s <= 0) {
        *out = conv->method;
        return ENG_OK;
    }
    double start = eng_stopwatch_s();
    enum eng_status status = compare(conv, n_convolutions, w, out, err);
    tuner->budget_s -= eng_stopwatch_s() - start;
    if (status == ENG_OK) note(tuner->cache, &key, *out);
    return status;
}
