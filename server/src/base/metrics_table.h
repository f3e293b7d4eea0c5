/* The rows of metrics.def as data, and the lines of the Prometheus text format. For metrics*.c. */
#ifndef SRV_BASE_METRICS_TABLE_H
#define SRV_BASE_METRICS_TABLE_H

#include "base/metrics.h"

#include <stdatomic.h>

enum srv_metric_kind { SRV_COUNTER, SRV_GAUGE, SRV_HISTOGRAM };

struct srv_metric_row {
    enum srv_metric_kind kind;
    const char *name;
    const char *labels[SRV_MAX_LABELS];
    size_t n_labels;
    const double *bounds; /* histogram: upper bounds, ascending */
    size_t n_bounds;
    const char *help;
};

#define NO_LABELS           {0}, 0
#define LABELS1(a)          {#a}, 1
#define LABELS2(a, b)       {#a, #b}, 2
#define LABELS3(a, b, c)    {#a, #b, #c}, 3
#define LABELS4(a, b, c, d) {#a, #b, #c, #d}, 4

/* CPUs count in stripes of their own, in lines of their own: a line that all of them write to costs
 * each more than all the rest of counting. What a series says is the sum of its stripes. */
enum { SRV_METRIC_STRIPES = 8, SRV_METRIC_LINE_BYTES = 64 };

struct srv_metric_stripe {
    _Atomic double value;           /* of a histogram: the sum */
    atomic_uint_least64_t counts[]; /* histogram: one per bucket, the last without bound */
};

struct srv_series {
    const struct srv_metric_row *row;
    struct srv_series *next;
    char *label_values[SRV_MAX_LABELS];
    size_t stripe_bytes;
    _Alignas(SRV_METRIC_LINE_BYTES) unsigned char stripes[];
};

/* Purpose: the value, of a histogram the sum; how many are in a bucket. */
double srv_series_value(const struct srv_series *series);
uint64_t srv_series_bucket(const struct srv_series *series, size_t bucket);

const struct srv_metric_row *srv_metric_row(enum srv_metric metric);

/* Purpose: the series of a metric, the newest first; NULL: none. */
const struct srv_series *srv_metrics_first(const struct srv_metrics *metrics,
                                           enum srv_metric metric);

/* Purpose: HELP and TYPE. */
void srv_metric_head(const struct srv_metric_row *row, struct srv_text *out);

/* Purpose: "counter", "gauge", "histogram". */
const char *srv_metric_kind_name(enum srv_metric_kind kind);

/* Purpose: the aliases' part of docs/metrics.md. */
void srv_metrics_document_aliases(FILE *out);

/* Purpose: name+suffix{labels,le="bound"} value. bound may be NULL. */
void srv_metric_line(const struct srv_metric_row *row, const char *suffix,
                     const char *const *label_values, const char *bound, double value,
                     struct srv_text *out);

/* Purpose: process_cpu_seconds_total, resident memory, descriptors, start time, as client libraries
 * do. */
void srv_metrics_write_process(struct srv_text *out);

#endif
