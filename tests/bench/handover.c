/*
 * What handing a picture to a worker costs, against computing it on the connection's own thread.
 *
 *     cmake --build build/release --target bench_handover
 *     build/release/tests/bench_handover VERSION_FOLDER PICTURE [SECONDS]
 *
 * As many connection threads as workers; each keeps 1 or 16 requests in flight and sleeps on an
 * eventfd as libmicrohttpd does. Prints requests per second, microseconds of CPU per request, and
 * the ratio of the two ways, measured in turns in one run.
 */
#include "base/clock.h"
#include "base/file.h"
#include "serve/served.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_IN_FLIGHT = 16, MAX_CLASSES = 1000 };

struct request {
    struct srv_job job;
    struct srv_sample sample;
    float probabilities[MAX_CLASSES];
    struct connections *owner;
};

/* One thread with the requests that it keeps in flight. */
struct connections {
    pthread_t thread;
    struct srv_served *served;
    struct srv_sample sample;
    bool is_inline;
    size_t n_in_flight;
    int64_t until_us;
    size_t n_answered, n_failed;
    int event;
    struct request requests[MAX_IN_FLIGHT];
};

static void done(struct srv_job *job)
{
    struct request *request = job->ctx;
    const uint64_t one = 1;
    if (write(request->owner->event, &one, sizeof one) != sizeof one) abort();
}

static void count(struct connections *self, const struct request *request)
{
    self->n_answered++;
    self->n_failed += request->job.code != SRV_OK;
}

/* True when the answer is there already. */
static bool send_request(struct connections *self, struct request *request)
{
    request->owner = self;
    request->sample = self->sample;
    request->job = (struct srv_job){.served = self->served,
                                    .samples = &request->sample,
                                    .n_samples = 1,
                                    .probabilities = request->probabilities,
                                    .done = done,
                                    .ctx = request};
    if (self->is_inline && srv_served_try_inline(&request->job)) return true;
    if (srv_served_submit(&request->job) != SRV_OK) abort();
    return false;
}

static void *run(void *arg)
{
    struct connections *self = arg;
    while (srv_clock_us() < self->until_us) {
        size_t n_waiting = 0;
        for (size_t i = 0; i < self->n_in_flight; i++)
            n_waiting += !send_request(self, &self->requests[i]);
        while (n_waiting > 0) {
            uint64_t n = 0;
            if (read(self->event, &n, sizeof n) != sizeof n) abort();
            n_waiting -= n;
        }
        for (size_t i = 0; i < self->n_in_flight; i++)
            count(self, &self->requests[i]);
    }
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* Returns requests per second. */
static double measure(struct connections *threads, int n_threads, bool is_inline,
                      size_t n_in_flight, int64_t span_us)
{
    double cpu_s = cpu_seconds();
    int64_t start_us = srv_clock_us();
    for (int i = 0; i < n_threads; i++) {
        threads[i].is_inline = is_inline;
        threads[i].n_in_flight = n_in_flight;
        threads[i].until_us = start_us + span_us;
        threads[i].n_answered = threads[i].n_failed = 0;
        if (pthread_create(&threads[i].thread, NULL, run, &threads[i]) != 0) abort();
    }
    size_t n_answered = 0, n_failed = 0;
    for (int i = 0; i < n_threads; i++) {
        pthread_join(threads[i].thread, NULL);
        n_answered += threads[i].n_answered;
        n_failed += threads[i].n_failed;
    }
    double seconds = (double)(srv_clock_us() - start_us) * 1e-6;
    cpu_s = cpu_seconds() - cpu_s;
    printf("%-12s %2zu in flight: %9.0f requests/s  %7.1f us CPU each\n",
           is_inline ? "own thread" : "handed over", n_in_flight, (double)n_answered / seconds,
           cpu_s * 1e6 / (double)n_answered);
    if (n_failed > 0) printf("%zu requests failed\n", n_failed);
    return (double)n_answered / seconds;
}

static void compare(struct srv_served *served, struct srv_sample sample, int n_threads,
                    int64_t span_us)
{
    struct connections *threads = calloc((size_t)n_threads, sizeof *threads);
    if (!threads) abort();
    for (int i = 0; i < n_threads; i++) {
        threads[i].served = served;
        threads[i].sample = sample;
        threads[i].event = eventfd(0, EFD_CLOEXEC);
    }
    for (size_t n_in_flight = 1; n_in_flight <= MAX_IN_FLIGHT; n_in_flight *= MAX_IN_FLIGHT) {
        double handed = measure(threads, n_threads, false, n_in_flight, span_us);
        double own = measure(threads, n_threads, true, n_in_flight, span_us);
        printf("ratio own thread / handed over: %.2f\n", own / handed);
    }
    for (int i = 0; i < n_threads; i++)
        close(threads[i].event);
    free(threads);
}

static int bench(const char *folder, const char *picture, double seconds, struct eng_error *err)
{
    struct eng_pool *pool = NULL;
    struct srv_served *served = NULL;
    struct eng_file file = {0};
    enum eng_status status = eng_file_read(picture, 64 << 20, &file, err);
    if (status == ENG_OK) status = eng_pool_create(0, &pool, err);
    const struct srv_served_options options = {.pool = pool,
                                               .max_queue = 100000,
                                               .inline_below_us = INT64_MAX / 16,
                                               .limits = eng_image_limits_default()};
    if (status == ENG_OK) status = srv_served_load("bench", "1", folder, &options, &served, err);
    if (status == ENG_OK && eng_model_card(srv_served_model(served))->n_classes > MAX_CLASSES) {
        snprintf(err->text, sizeof err->text, "%s: more than %d classes", folder, MAX_CLASSES);
        status = ENG_LIMIT;
    }
    if (status == ENG_OK) {
        struct srv_sample sample = {
            .kind = SRV_SAMPLE_ENCODED, .data = file.bytes, .n_bytes = file.n_bytes};
        compare(served, sample, eng_pool_size(pool), (int64_t)(seconds * 1e6 / 4));
    }
    srv_served_destroy(served);
    eng_pool_destroy(pool);
    eng_file_fini(&file);
    return status == ENG_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct eng_error err = {0};
    double seconds = argc > 3 ? atof(argv[3]) : 8;
    if (argc < 3 || argc > 4 || !(seconds > 0)) {
        fprintf(stderr, "usage: %s VERSION_FOLDER PICTURE [SECONDS]\n", argv[0]);
        return 2;
    }
    if (bench(argv[1], argv[2], seconds, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return 0;
}
