/* The rows of metrics.def as data, and the lines of the Prometheus text format. For metrics*.c. */
#ifndef SRV_BASE_METRICS_TABLE_H
#define SRV_BASE_METRICS_TABLE_H

#include "base/metrics.h"

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

const struct srv_metric_row *srv_metric_row(enum srv_metric metric);

/* Purpose: name+suffix{labels,le="bound"} value. bound may be NULL. */
void srv_metric_line(const struct srv_metric_row *row, const char *suffix,
                     const char *const *label_values, const char *bound, double value,
                     struct srv_text *out);

/* Purpose: process_cpu_seconds_total, resident memory, descriptors, start time, as client libraries
 * do. */
void srv_metrics_write_process(struct srv_text *out);

#endif
