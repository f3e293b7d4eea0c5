#include "base/metrics.h"

#include "base/log.h"
#include "base/metrics_table.h"
#include "base/text.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct srv_metrics {
    struct srv_log *log;
    atomic_uint_least64_t n_refused;
    pthread_mutex_t mutex; /* guards making a series; the lists are only ever appended to */
    struct {
        _Atomic(struct srv_series *) first;
        size_t n_series;
        bool was_full; /* and that was said */
    } metrics[SRV_N_METRICS];
};

struct srv_metrics *srv_metrics_create(struct srv_log *log)
{
    struct srv_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) return NULL;
    metrics->log = log;
    pthread_mutex_init(&metrics->mutex, NULL);
    return metrics;
}

static void free_series(struct srv_series *series)
{
    for (size_t i = 0; i < SRV_MAX_LABELS; i++)
        free(series->label_values[i]);
    free(series);
}

void srv_metrics_destroy(struct srv_metrics *metrics)
{
    if (!metrics) return;
    for (size_t i = 0; i < SRV_N_METRICS; i++) {
        for (struct srv_series *s = metrics->metrics[i].first, *next; s; s = next) {
            next = s->next;
            free_series(s);
        }
    }
    pthread_mutex_destroy(&metrics->mutex);
    free(metrics);
}

static size_t whole_lines(size_t n_bytes)
{
    size_t line = SRV_METRIC_LINE_BYTES;
    return (n_bytes + line - 1) / line * line;
}

static struct srv_series *make_series(const struct srv_metric_row *row,
                                      const char *const *label_values)
{
    size_t n_counts = row->kind == SRV_HISTOGRAM ? row->n_bounds + 1 : 0;
    size_t stripe_bytes =
        whole_lines(sizeof(struct srv_metric_stripe) + n_counts * sizeof(atomic_uint_least64_t));
    size_t n_bytes = sizeof(struct srv_series) + SRV_METRIC_STRIPES * stripe_bytes;
    struct srv_series *series = aligned_alloc(SRV_METRIC_LINE_BYTES, whole_lines(n_bytes));
    if (!series) return NULL;
    memset(series, 0, n_bytes);
    series->stripe_bytes = stripe_bytes;
    series->row = row;
    for (size_t i = 0; i < row->n_labels; i++) {
        series->label_values[i] = strdup(label_values[i]);
        if (!series->label_values[i]) {
            free_series(series);
            return NULL;
        }
    }
    return series;
}

static bool has_values(const struct srv_series *series, const char *const *label_values)
{
    for (size_t i = 0; i < series->row->n_labels; i++)
        if (strcmp(series->label_values[i], label_values[i]) != 0) return false;
    return true;
}

/* Mutex held. NULL: there is no room; *is_news: for the first time. */
static struct srv_series *add_series(struct srv_metrics *metrics, enum srv_metric metric,
                                     const char *const *label_values, bool *is_news)
{
    bool is_full = metrics->metrics[metric].n_series >= SRV_MAX_SERIES;
    struct srv_series *series = is_full ? NULL : make_series(srv_metric_row(metric), label_values);
    if (series) {
        series->next = metrics->metrics[metric].first;
        metrics->metrics[metric].first = series;
        metrics->metrics[metric].n_series++;
        return series;
    }
    atomic_fetch_add_explicit(&metrics->n_refused, 1, memory_order_relaxed);
    *is_news = is_full && !metrics->metrics[metric].was_full;
    metrics->metrics[metric].was_full |= is_full;
    return NULL;
}

static void say_full(const struct srv_metrics *metrics, enum srv_metric metric)
{
    const struct srv_log_field fields[] = {{.key = "metric", .text = srv_metric_row(metric)->name},
                                           {.key = "series", .number = SRV_MAX_SERIES}};
    srv_log_write(metrics->log, SRV_LOG_WARN, "metric is full: more series are not counted", fields,
                  2);
}

struct srv_series *srv_metrics_series(struct srv_metrics *metrics, enum srv_metric metric,
                                      const char *const *label_values)
{
    if (!metrics) return NULL;
    bool is_news = false;
    pthread_mutex_lock(&metrics->mutex);
    struct srv_series *series = metrics->metrics[metric].first;
    while (series && !has_values(series, label_values))
        series = series->next;
    if (!series) series = add_series(metrics, metric, label_values, &is_news);
    pthread_mutex_unlock(&metrics->mutex);
    if (is_news) say_full(metrics, metric);
    return series;
}

static struct srv_metric_stripe *stripe_at(const struct srv_series *series, size_t i)
{
    return (struct srv_metric_stripe *)(uintptr_t)(series->stripes + i * series->stripe_bytes);
}

/* Where this thread had better count; any stripe would do. */
static struct srv_metric_stripe *own_stripe(const struct srv_series *series)
{
    return stripe_at(series, (unsigned)sched_getcpu() % SRV_METRIC_STRIPES);
}

static void add_to(_Atomic double *sum, double value)
{
    double old = atomic_load_explicit(sum, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(sum, &old, old + value, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
}

void srv_series_add(struct srv_series *series, double value)
{
    if (series) add_to(&own_stripe(series)->value, value);
}

void srv_series_set(struct srv_series *series, double value)
{
    if (!series) return;
    for (size_t i = 0; i < SRV_METRIC_STRIPES; i++)
        atomic_store_explicit(&stripe_at(series, i)->value, i == 0 ? value : 0,
                              memory_order_relaxed);
}

void srv_series_observe(struct srv_series *series, double value)
{
    if (!series) return;
    size_t bucket = 0;
    while (bucket < series->row->n_bounds && value > series->row->bounds[bucket])
        bucket++;
    struct srv_metric_stripe *stripe = own_stripe(series);
    atomic_fetch_add_explicit(&stripe->counts[bucket], 1, memory_order_relaxed);
    add_to(&stripe->value, value);
}

double srv_series_value(const struct srv_series *series)
{
    double sum = 0;
    for (size_t i = 0; i < SRV_METRIC_STRIPES; i++)
        sum += atomic_load_explicit(&stripe_at(series, i)->value, memory_order_relaxed);
    return sum;
}

uint64_t srv_series_bucket(const struct srv_series *series, size_t bucket)
{
    uint64_t n = 0;
    for (size_t i = 0; i < SRV_METRIC_STRIPES; i++)
        n += atomic_load_explicit(&stripe_at(series, i)->counts[bucket], memory_order_relaxed);
    return n;
}

const struct srv_series *srv_metrics_first(const struct srv_metrics *metrics,
                                           enum srv_metric metric)
{
    return atomic_load_explicit(&metrics->metrics[metric].first, memory_order_acquire);
}

static void write_histogram(const struct srv_series *series, struct srv_text *out)
{
    const struct srv_metric_row *row = series->row;
    const char *const *values = (const char *const *)series->label_values;
    uint64_t n_so_far = 0;
    for (size_t i = 0; i <= row->n_bounds; i++) {
        char bound[32] = "+Inf";
        if (i < row->n_bounds) snprintf(bound, sizeof bound, "%g", row->bounds[i]);
        n_so_far += srv_series_bucket(series, i);
        srv_metric_line(row, "_bucket", values, bound, (double)n_so_far, out);
    }
    srv_metric_line(row, "_sum", values, NULL, srv_series_value(series), out);
    srv_metric_line(row, "_count", values, NULL, (double)n_so_far, out);
}

void srv_metrics_write(struct srv_metrics *metrics, struct srv_text *out)
{
    for (unsigned i = 0; i < SRV_N_METRICS; i++) {
        const struct srv_series *series = srv_metrics_first(metrics, i);
        if (series) srv_metrics_write_head(i, out);
        for (; series; series = series->next) {
            if (series->row->kind == SRV_HISTOGRAM)
                write_histogram(series, out);
            else
                srv_metrics_write_value(i, (const char *const *)series->label_values,
                                        srv_series_value(series), out);
        }
    }
    double n_refused = (double)atomic_load_explicit(&metrics->n_refused, memory_order_relaxed);
    srv_metrics_write_head(SRV_M_SERIES_REFUSED, out);
    srv_metrics_write_value(SRV_M_SERIES_REFUSED, NULL, n_refused, out);
    srv_metrics_write_process(out);
}
