/*
 * What observing a request costs: its access log line, in both forms, and its metrics, in
 * nanoseconds; medians of rounds. The log goes to a pipe that somebody empties.
 *
 * usage: bench_observe [rounds]
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_ROUNDS = 101, N_REQUESTS = 2000 };

static const struct srv_log_field fields[] = {
    {"id", "3f2a9c01d7b8e654", 0},
    {"client", "127.0.0.1", 0},
    {"listener", "public", 0},
    {"method", "POST", 0},
    {"path", "/classify/mnist", 0},
    {"route", "classify", 0},
    {"code", NULL, 200},
    {"bytes_in", NULL, 311},
    {"bytes_out", NULL, 743},
    {"model", "mnist", 0},
    {"version", "1", 0},
    {"digest", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 0},
    {"pictures", NULL, 1},
    {"read_us", NULL, 11},
    {"parse_us", NULL, 1},
    {"decode_us", NULL, 7},
    {"queue_us", NULL, 0},
    {"compute_us", NULL, 9},
    {"encode_us", NULL, 3},
    {"send_us", NULL, 12},
    {"total_us", NULL, 43},
};

static void *empty_pipe(void *fd)
{
    char bytes[65536];
    while (read(*(int *)fd, bytes, sizeof bytes) > 0)
        continue;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* CPU time of this thread alone: the writer has its own. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void log_requests(void *log)
{
    for (int i = 0; i < N_REQUESTS; i++)
        srv_log_write(log, SRV_LOG_INFO, "request", fields, sizeof fields / sizeof fields[0]);
}

/* As many as a classified picture makes: two counters and the histograms. */
static void count_requests(void *metrics)
{
    static const enum srv_metric histograms[] = {
        SRV_M_REQUEST_SECONDS, SRV_M_INFERENCE_SECONDS, SRV_M_ENCODE_SECONDS, SRV_M_QUEUE_SECONDS,
        SRV_M_DECODE_SECONDS,  SRV_M_COMPUTE_SECONDS,   SRV_M_BATCH_SIZE};
    enum { N = sizeof histograms / sizeof histograms[0] };
    static const char *const labels[] = {"public", "classify", "200"};
    struct srv_series *series[N];
    for (size_t i = 0; i < N; i++)
        series[i] = srv_metrics_series(metrics, histograms[i], labels);
    struct srv_series *counter = srv_metrics_series(metrics, SRV_M_REQUESTS, labels);
    struct srv_series *gauge = srv_metrics_series(metrics, SRV_M_IN_FLIGHT, labels);
    for (int i = 0; i < N_REQUESTS; i++) {
        srv_series_add(gauge, 1);
        for (size_t k = 0; k < N; k++)
            srv_series_observe(series[k], 0.000043);
        srv_series_add(counter, 1);
        srv_series_add(gauge, -1);
    }
}

static void measure(const char *name, void (*run)(void *), void *argument, int n_rounds)
{
    double ns[MAX_ROUNDS];
    for (int i = 0; i < n_rounds; i++) {
        double begin = now_ns();
        run(argument);
        ns[i] = (now_ns() - begin) / N_REQUESTS;
        usleep(60000); /* the writer catches up */
    }
    qsort(ns, (size_t)n_rounds, sizeof ns[0], compare);
    printf("%-24s %7.0f ns a request\n", name, ns[n_rounds / 2]);
}

struct rival {
    struct srv_metrics *metrics;
    atomic_bool ends;
};

static void *count_too(void *argument)
{
    struct rival *rival = argument;
    while (!atomic_load_explicit(&rival->ends, memory_order_relaxed))
        count_requests(rival->metrics);
    return NULL;
}

/* While another thread counts the same. */
static int measure_rivals(struct srv_metrics *metrics, int n_rounds)
{
    struct rival rival = {.metrics = metrics};
    pthread_t thread;
    if (pthread_create(&thread, NULL, count_too, &rival) != 0) return 1;
    measure("metrics, two threads", count_requests, metrics, n_rounds);
    atomic_store(&rival.ends, true);
    pthread_join(thread, NULL);
    return 0;
}

static int measure_log(const char *name, bool json, int n_rounds)
{
    int ends[2];
    pthread_t reader;
    if (pipe(ends) != 0 || pthread_create(&reader, NULL, empty_pipe, &ends[0]) != 0) return 1;
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, json);
    if (!log) return 1;
    measure(name, log_requests, log, n_rounds);
    if (srv_log_dropped(log) > 0)
        printf("%llu lines dropped\n", (unsigned long long)srv_log_dropped(log));
    srv_log_destroy(log);
    close(ends[1]);
    pthread_join(reader, NULL);
    close(ends[0]);
    return 0;
}

int main(int argc, char **argv)
{
    int n_rounds = argc > 1 ? atoi(argv[1]) : 31;
    if (n_rounds < 1 || n_rounds > MAX_ROUNDS) return 2;
    struct srv_metrics *metrics = srv_metrics_create(NULL);
    if (!metrics) return 1;
    measure("metrics", count_requests, metrics, n_rounds);
    int failed = measure_rivals(metrics, n_rounds);
    srv_metrics_destroy(metrics);
    return failed || measure_log("access log, logfmt", false, n_rounds) ||
           measure_log("access log, json", true, n_rounds);
}
