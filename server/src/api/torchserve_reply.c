#include "api/torchserve_reply.h"

#include "api/ranking.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A class among the first, to find those that share a label. */
struct labelled {
    const char *label;
    size_t rank;
    bool is_repeated; /* a class of lower rank has the label too */
};

static int compare_labels(const void *a, const void *b)
{
    const struct labelled *x = a, *y = b;
    int order = strcmp(x->label, y->label);
    return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static int compare_ranks(const void *a, const void *b)
{
    const struct labelled *x = a, *y = b;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* The first n_top, in order of rank, and which of them repeat a label. */
static void find_repeated(const struct eng_card *card, const struct srv_ranked *ranked,
                          size_t n_top, struct labelled *out)
{
    for (size_t i = 0; i < n_top; i++)
        out[i] = (struct labelled){card->labels[ranked[i].index], i, false};
    qsort(out, n_top, sizeof *out, compare_labels);
    for (size_t i = 1; i < n_top; i++)
        out[i].is_repeated = strcmp(out[i].label, out[i - 1].label) == 0;
    qsort(out, n_top, sizeof *out, compare_ranks);
}

static void write_picture(const struct srv_ranked *ranked, const struct labelled *labelled,
                          size_t n_top, struct srv_text *out)
{
    srv_text_puts(out, "{");
    for (size_t i = 0; i < n_top; i++) {
        if (labelled[i].is_repeated) continue;
        if (i > 0) srv_text_puts(out, ",");
        srv_text_json(out, labelled[i].label);
        srv_text_puts(out, ":");
        srv_text_float(out, ranked[i].probability);
    }
    srv_text_puts(out, "}");
}

void srv_torchserve_write_predictions(const float *probabilities, size_t n_pictures, bool is_list,
                                      const struct eng_card *card, size_t n_top,
                                      struct srv_text *out)
{
    struct srv_ranked *ranked = malloc(card->n_classes * sizeof *ranked);
    struct labelled *labelled = malloc(n_top * sizeof *labelled);
    out->failed |= !ranked || !labelled;
    if (is_list) srv_text_puts(out, "[");
    for (size_t i = 0; i < n_pictures && !out->failed; i++) {
        if (i > 0) srv_text_puts(out, ",");
        srv_rank(probabilities + i * card->n_classes, card->n_classes, n_top, ranked);
        find_repeated(card, ranked, n_top, labelled);
        write_picture(ranked, labelled, n_top, out);
    }
    srv_text_puts(out, is_list ? "]\n" : "\n");
    free(labelled);
    free(ranked);
}

static void write_time(int64_t unix_s, struct srv_text *out)
{
    time_t seconds = (time_t)unix_s;
    struct tm utc;
    char text[40];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
    srv_text_json(out, text);
}

static void write_workers(const struct srv_version_info *info, size_t n_workers,
                          struct srv_text *out)
{
    srv_text_puts(out, ",\"workers\":[");
    for (size_t i = 0; i < n_workers; i++) {
        srv_text_printf(out, "%s{\"id\":\"%zu\",\"startTime\":", i ? "," : "", i);
        write_time(info->loaded_unix_s, out);
        srv_text_printf(out,
                        ",\"status\":\"READY\",\"memoryUsage\":%zu,\"pid\":%ld,\"gpu\":false,"
                        "\"gpuUsage\":\"N/A\"}",
                        info->session_bytes, (long)getpid());
    }
    srv_text_puts(out, "]");
}

void srv_torchserve_write_description(const struct srv_version_info *info,
                                      const struct srv_served *served,
                                      const struct srv_torchserve_limits *limits,
                                      struct srv_text *out)
{
    size_t n_workers = served ? srv_served_n_workers(served) : 0;
    size_t batch_size = served ? srv_served_max_batch(served) : 0;
    size_t max_queue = limits->batching.max_queue;
    size_t n_waiting = info->queue_length < max_queue ? info->queue_length : max_queue;
    srv_text_puts(out, "{\"modelName\":");
    srv_text_json(out, info->model);
    srv_text_puts(out, ",\"modelVersion\":");
    srv_text_json(out, info->version);
    srv_text_puts(out, ",\"modelUrl\":");
    srv_text_json(out, info->model);
    srv_text_printf(out,
                    ",\"runtime\":\"onnx\",\"minWorkers\":%zu,\"maxWorkers\":%zu,"
                    "\"batchSize\":%zu,\"maxBatchDelay\":%" PRId64 ",\"responseTimeout\":%" PRId64,
                    n_workers, n_workers, batch_size, (limits->batching.max_delay_us + 999) / 1000,
                    (limits->response_timeout_ms + 999) / 1000);
    write_workers(info, n_workers, out);
    srv_text_printf(out, ",\"jobQueueStatus\":{\"remainingCapacity\":%zu,\"pendingRequests\":%zu}}",
                    max_queue - n_waiting, n_waiting);
}
