#include "base/metrics.h"

#include "base/metrics_table.h"
#include "base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct srv_metrics {
    pthread_mutex_t mutex; /* guards making a series; the lists are only ever appended to */
    struct {
        _Atomic(struct srv_series *) first;
        size_t n_series;
    } metrics[SRV_N_METRICS];
};

struct srv_metrics *srv_metrics_create(void)
{
    struct srv_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics) pthread_mutex_init(&metrics->mutex, NULL);
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

static struct srv_series *make_series(const struct srv_metric_row *row,
                                      const char *const *label_values)
{
    size_t n_counts = row->kind == SRV_HISTOGRAM ? row->n_bounds + 1 : 0;
    struct srv_series *series = calloc(1, sizeof *series + n_counts * sizeof series->counts[0]);
    if (!series) return NULL;
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

struct srv_series *srv_metrics_series(struct srv_metrics *metrics, enum srv_metric metric,
                                      const char *const *label_values)
{
    if (!metrics) return NULL;
    const struct srv_metric_row *row = srv_metric_row(metric);
    pthread_mutex_lock(&metrics->mutex);
    struct srv_series *series = metrics->metrics[metric].first;
    while (series && !has_values(series, label_values))
        series = series->next;
    if (!series && metrics->metrics[metric].n_series < SRV_MAX_SERIES) {
        series = make_series(row, label_values);
        if (series) {
            series->next = metrics->metrics[metric].first;
            metrics->metrics[metric].first = series;
            metrics->metrics[metric].n_series++;
        }
    }
    pthread_mutex_unlock(&metrics->mutex);
    return series;
}

void srv_series_add(struct srv_series *series, double value)
{
    if (!series) return;
    double old = atomic_load_explicit(&series->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&series->value, &old, old + value,
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

void srv_series_set(struct srv_series *series, double value)
{
    if (series) atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void srv_series_observe(struct srv_series *series, double value)
{
    if (!series) return;
    size_t bucket = 0;
    while (bucket < series->row->n_bounds && value > series->row->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&series->counts[bucket], 1, memory_order_relaxed);
    srv_series_add(series, value);
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
        n_so_far += atomic_load_explicit(&series->counts[i], memory_order_relaxed);
        srv_metric_line(row, "_bucket", values, bound, (double)n_so_far, out);
    }
    srv_metric_line(row, "_sum", values, NULL,
                    atomic_load_explicit(&series->value, memory_order_relaxed), out);
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
                                        atomic_load_explicit(&series->value, memory_order_relaxed),
                                        out);
        }
    }
    srv_metrics_write_process(out);
}
