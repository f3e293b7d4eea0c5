/* Metrics: rows of metrics.def, atomics, Prometheus text. Counting takes no lock. */
#ifndef SRV_BASE_METRICS_H
#define SRV_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct srv_text; /* text that grows: base/text.h */
struct srv_log;

enum srv_metric {
#define COUNTER(id, name, labels, help)            SRV_M_##id,
#define GAUGE(id, name, labels, help)              SRV_M_##id,
#define HISTOGRAM(id, name, labels, buckets, help) SRV_M_##id,
#include "base/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    SRV_N_METRICS
};

enum { SRV_MAX_LABELS = 4, SRV_MAX_SERIES = 1024 };

struct srv_series;
struct srv_metrics;
/* Purpose: log gets a line for each metric that is full, once; borrowed, NULL: none. NULL: out of
 * memory. */
struct srv_metrics *srv_metrics_create(struct srv_log *log);
void srv_metrics_destroy(struct srv_metrics *metrics);

/*
 * Purpose: the series of a metric with these label values (as many as the row's labels,
 * NULL-ended); made on first use, found again after. Lives as long as the process. NULL when out of
 * memory or when the metric has SRV_MAX_SERIES, which classifyd_metric_series_refused_total counts:
 * the calls below accept NULL. Cost: takes a lock;
 * keep the pointer where it is used often.
 */
struct srv_series *srv_metrics_series(struct srv_metrics *metrics, enum srv_metric metric,
                                      const char *const *label_values);

void srv_series_add(struct srv_series *series, double value);     /* counter, gauge */
void srv_series_set(struct srv_series *series, double value);     /* gauge; nobody adds meanwhile */
void srv_series_observe(struct srv_series *series, double value); /* histogram, in its unit */

/* Purpose: appends the Prometheus text exposition of every metric that has a series, process_*
 * included. */
void srv_metrics_write(struct srv_metrics *metrics, struct srv_text *out);

/*
 * Purpose: for a metric that is read elsewhere at scrape time (a snapshot of the registry) and so
 * has no series: first its HELP and TYPE, then a line for each value. Its rows must be written
 * together.
 */
void srv_metrics_write_head(enum srv_metric metric, struct srv_text *out);
void srv_metrics_write_value(enum srv_metric metric, const char *const *label_values, double value,
                             struct srv_text *out);

/* Whose names the metrics have besides. */
enum srv_dialect { SRV_NO_DIALECT, SRV_TRITON = 1, SRV_TF_SERVING = 2 };

/* Purpose: of the setting metrics_aliases: the dialects, or'd. */
unsigned srv_metrics_dialects(const char *setting);

/* Purpose: appends what aliases.def makes of the series, for the dialects that are asked for. */
void srv_metrics_write_aliases(struct srv_metrics *metrics, unsigned dialects,
                               struct srv_text *out);

/* Purpose: nv_inference_pending_request_count, which no series tells: like the heads and values
 * above. */
void srv_metrics_write_pending_head(struct srv_text *out);
void srv_metrics_write_pending(const char *model, const char *version, double value,
                               struct srv_text *out);

/* Purpose: docs/metrics.md. */
void srv_metrics_document(FILE *out);

#endif
