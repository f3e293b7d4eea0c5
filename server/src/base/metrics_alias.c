/* Rows of aliases.def: other servers' names, made of the series when they are scraped, so that
 * nothing is counted twice. */
#include "base/metrics_table.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum part { COUNT, SUM, SUM_US, BUCKETS_US };

enum { US_PER_S = 1000000 };

struct alias {
    unsigned dialect; /* enum srv_dialect */
    struct srv_metric_row row;
    enum srv_metric source;
    enum part part;
    void (*relabel)(const struct srv_series *series, const char *values[SRV_MAX_LABELS]);
};

/* --- the labels of an alias; of all sources model and version come first --- */

static void by_version(const struct srv_series *series, const char *values[SRV_MAX_LABELS])
{
    values[0] = series->label_values[0];
    values[1] = series->label_values[1];
}

/* Triton's reasons: the scheduler refused it, the client cancelled it, the model failed. */
static const char *reason_of(long http)
{
    switch (http) {
    case 429:
    case 503:
    case 504:
        return "REJECTED";
    case 499:
        return "CANCELED";
    case 500:
        return "BACKEND";
    default:
        return "OTHER";
    }
}

static void by_reason(const struct srv_series *series, const char *values[SRV_MAX_LABELS])
{
    by_version(series, values);
    values[2] = reason_of(strtol(series->label_values[2], NULL, 10));
}

/* The canonical codes, as TF Serving turns them to HTTP. */
static const char *canonical_code(long http)
{
    switch (http) {
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 404:
        return "NOT_FOUND";
    case 429:
        return "RESOURCE_EXHAUSTED";
    case 499:
        return "CANCELLED";
    case 500:
        return "INTERNAL";
    case 503:
        return "UNAVAILABLE";
    case 408:
    case 504:
        return "DEADLINE_EXCEEDED";
    default:
        return "INVALID_ARGUMENT";
    }
}

static void by_status(const struct srv_series *series, const char *values[SRV_MAX_LABELS])
{
    bool has_failed = series->row == srv_metric_row(SRV_M_INFERENCE_FAILURES);
    values[0] = series->label_values[0];
    values[1] = has_failed ? canonical_code(strtol(series->label_values[2], NULL, 10)) : "OK";
}

static void by_entrypoint(const struct srv_series *series, const char *values[SRV_MAX_LABELS])
{
    values[0] = series->label_values[0];
    values[1] = "Predict";
    values[2] = "REST";
    values[3] = "OK";
}

static void by_runtime(const struct srv_series *series, const char *values[SRV_MAX_LABELS])
{
    values[0] = series->label_values[0];
    values[1] = "Predict";
    values[2] = "classifyd";
}

static const struct alias aliases[] = {
#define ALIAS(dialect, kind, name, labels, source, part, relabel, help) \
    {SRV_##dialect, {SRV_##kind, name, labels, NULL, 0, help}, SRV_M_##source, part, relabel},
#include "base/aliases.def"
#undef ALIAS
};

static const struct srv_metric_row pending = {
    SRV_GAUGE, "nv_inference_pending_request_count",     LABELS2(model, version), NULL,
    0,         "Number of pictures waiting for a worker"};

/* --- values --- */

static bool is_alike(const struct alias *alias, const char *const *values,
                     const struct srv_series *other)
{
    const char *others[SRV_MAX_LABELS];
    alias->relabel(other, others);
    for (size_t i = 0; i < alias->row.n_labels; i++)
        if (strcmp(values[i], others[i]) != 0) return false;
    return true;
}

static uint64_t count_up_to(const struct srv_series *series, size_t bucket)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= bucket; i++)
        n += srv_series_bucket(series, i);
    return n;
}

/* What one series adds to a sample. bucket: up to this one; of counters there is none. */
static double value_of(const struct srv_series *series, enum part part, size_t bucket)
{
    double sum = srv_series_value(series);
    if (part == SUM) return sum;
    if (part == SUM_US) return (double)(int64_t)(sum * US_PER_S + 0.5);
    return (double)count_up_to(series, bucket);
}

/* Over this series and those after it that come out alike. */
static double add_up(const struct alias *alias, const char *const *values,
                     const struct srv_series *series, enum part part, size_t bucket)
{
    double total = 0;
    for (; series; series = series->next)
        if (is_alike(alias, values, series)) total += value_of(series, part, bucket);
    return total;
}

static void write_histogram(const struct alias *alias, const char *const *values,
                            const struct srv_series *series, struct srv_text *out)
{
    const struct srv_metric_row *source = series->row;
    double n = 0;
    for (size_t i = 0; i <= source->n_bounds; i++) {
        char bound[32] = "+Inf";
        if (i < source->n_bounds)
            snprintf(bound, sizeof bound, "%.10g", source->bounds[i] * US_PER_S);
        n = add_up(alias, values, series, COUNT, i);
        srv_metric_line(&alias->row, "_bucket", values, bound, n, out);
    }
    srv_metric_line(&alias->row, "_sum", values, NULL, add_up(alias, values, series, SUM_US, 0),
                    out);
    srv_metric_line(&alias->row, "_count", values, NULL, n, out);
}

static void write_sample(const struct alias *alias, const struct srv_series *series,
                         const struct srv_series *first, struct srv_text *out)
{
    const char *values[SRV_MAX_LABELS];
    alias->relabel(series, values);
    for (const struct srv_series *s = first; s != series; s = s->next)
        if (is_alike(alias, values, s)) return; /* is in that one's */
    if (alias->part == BUCKETS_US)
        write_histogram(alias, values, series, out);
    else
        srv_metric_line(&alias->row, "", values, NULL,
                        add_up(alias, values, series, alias->part, series->row->n_bounds), out);
}

void srv_metrics_write_aliases(struct srv_metrics *metrics, unsigned dialects, struct srv_text *out)
{
    const char *name = "";
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
        const struct alias *alias = &aliases[i];
        const struct srv_series *first = srv_metrics_first(metrics, alias->source);
        if (!(alias->dialect & dialects) || !first) continue;
        if (strcmp(alias->row.name, name) != 0) srv_metric_head(&alias->row, out);
        name = alias->row.name;
        for (const struct srv_series *series = first; series; series = series->next)
            write_sample(alias, series, first, out);
    }
}

void srv_metrics_write_pending_head(struct srv_text *out)
{
    srv_metric_head(&pending, out);
}

void srv_metrics_write_pending(const char *model, const char *version, double value,
                               struct srv_text *out)
{
    const char *const values[] = {model, version};
    srv_metric_line(&pending, "", values, NULL, value, out);
}

unsigned srv_metrics_dialects(const char *setting)
{
    if (strcmp(setting, "triton") == 0) return SRV_TRITON;
    if (strcmp(setting, "tf_serving") == 0) return SRV_TF_SERVING;
    return strcmp(setting, "all") == 0 ? SRV_TRITON | SRV_TF_SERVING : SRV_NO_DIALECT;
}

static void document_row(FILE *out, const struct srv_metric_row *row, const char *source)
{
    fprintf(out, "| `%s` | %s |", row->name, srv_metric_kind_name(row->kind));
    for (size_t k = 0; k < row->n_labels; k++)
        fprintf(out, "%s `%s`", k ? "," : "", row->labels[k]);
    fprintf(out, " | %s, from `%s` |\n", row->help, source);
}

void srv_metrics_document_aliases(FILE *out)
{
    fputs("\n## Other servers' names\n\n"
          "With the setting `metrics_aliases` = `triton`, `tf_serving` or `all` the page has these "
          "too, so that dashboards made\nfor those servers work here; rows of "
          "`server/src/base/aliases.def`. They are made of the series above when the page\nis "
          "asked for. Times of Triton and TF Serving are in microseconds.\n\n"
          "| metric | type | labels | meaning |\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        document_row(out, &aliases[i].row, srv_metric_row(aliases[i].source)->name);
    document_row(out, &pending, srv_metric_row(SRV_M_QUEUE_LENGTH)->name);
}
