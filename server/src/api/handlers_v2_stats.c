/* GET /v2/models/stats and /v2/models/{model}[/versions/{version}]/stats: Triton's extension. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "serve/stats.h"

#include <inttypes.h>
#include <string.h>

static void write_sum(struct srv_text *out, const char *begin, const struct srv_stats_sum *sum)
{
    srv_text_printf(out, "%s{\"count\":%" PRIu64 ",\"ns\":%" PRIu64 "}", begin, sum->n,
                    sum->us * 1000);
}

/* The phases have one count, that of what was computed, even while some of it is being answered:
 * perf_analyzer ends with an error if they differ. */
static void write_phases(struct srv_text *out, const struct srv_stats_sum *decode,
                         const struct srv_stats_sum *compute, uint64_t output_us)
{
    const struct srv_stats_sum input = {compute->n, decode->us}, output = {compute->n, output_us};
    write_sum(out, ",\"compute_input\":", &input);
    write_sum(out, ",\"compute_infer\":", compute);
    write_sum(out, ",\"compute_output\":", &output);
}

static void write_stats(struct srv_text *out, const struct srv_served *served,
                        const struct srv_stats *stats)
{
    const struct srv_stats_sum none = {0};
    srv_text_puts(out, "{\"name\":");
    srv_text_json(out, srv_served_name(served));
    srv_text_puts(out, ",\"version\":");
    srv_text_json(out, srv_served_version(served));
    srv_text_printf(out,
                    ",\"last_inference\":%" PRId64 ",\"inference_count\":%" PRIu64
                    ",\"execution_count\":%" PRIu64 ",\"inference_stats\":{",
                    stats->last_unix_ms, stats->n_pictures, stats->n_batches);
    write_sum(out, "\"success\":", &stats->succeeded);
    write_sum(out, ",\"fail\":", &stats->failed);
    write_sum(out, ",\"queue\":", &stats->queue);
    write_phases(out, &stats->decode, &stats->compute, stats->output_us);
    write_sum(out, ",\"cache_hit\":", &none);
    write_sum(out, ",\"cache_miss\":", &none);
    srv_text_puts(out, "},\"response_stats\":{},\"batch_stats\":[");
    for (size_t i = 0; i < stats->n_sizes; i++) {
        const struct srv_stats_batch *batch = &stats->batches[i];
        srv_text_printf(out, "%s{\"batch_size\":%zu", i ? "," : "", batch->n_pictures);
        write_phases(out, &batch->decode, &batch->compute, 0); /* answers are written by request */
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, "],\"memory_usage\":[]}");
}

/* False: the reply is an error. */
static bool add_version(struct srv_request *request, const struct srv_served *served)
{
    struct srv_stats stats;
    struct eng_error error = {0};
    if (srv_served_stats(served, &stats, &error) != ENG_OK) {
        srv_reply_error(request, SRV_INTERNAL, "%s", error.text);
        return false;
    }
    write_stats(&request->reply.body, served, &stats);
    srv_stats_fini(&stats);
    return true;
}

/* Every version that serves, of the model or, if that is NULL, of all. */
static bool add_all(struct srv_request *request, const char *model)
{
    struct srv_registry *registry = request->app->registry;
    struct srv_snapshot snapshot;
    if (!srv_request_snapshot(request, &snapshot)) return false;
    bool is_first = true, is_well = true;
    for (size_t i = 0; i < snapshot.n_versions && is_well; i++) {
        const struct srv_version_info *v = &snapshot.versions[i];
        struct srv_served *served;
        if (v->state != SRV_READY || (model && strcmp(v->model, model) != 0) ||
            srv_registry_acquire(registry, v->model, v->version, &served, NULL) != SRV_OK)
            continue; /* not there, or not any more */
        if (!is_first) srv_text_puts(&request->reply.body, ",");
        is_first = false;
        is_well = add_version(request, served);
        srv_registry_release(registry, served);
    }
    srv_snapshot_fini(&snapshot);
    return is_well;
}

/* False: the reply is an error. */
static bool write_model(struct srv_request *request)
{
    struct srv_served *served;
    if (!srv_request_acquire(request, &served)) return false;
    srv_text_puts(&request->reply.body, "{\"model_stats\":[");
    bool is_well = request->captures[1] ? add_version(request, served)
                                        : add_all(request, srv_served_name(served));
    srv_registry_release(request->app->registry, served);
    return is_well;
}

enum srv_handled h_v2_stats(struct srv_request *request)
{
    if (write_model(request)) srv_text_puts(&request->reply.body, "]}\n");
    return SRV_DONE;
}

enum srv_handled h_v2_all_stats(struct srv_request *request)
{
    srv_text_puts(&request->reply.body, "{\"model_stats\":[");
    if (add_all(request, NULL)) srv_text_puts(&request->reply.body, "]}\n");
    return SRV_DONE;
}
