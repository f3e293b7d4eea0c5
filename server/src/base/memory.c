#include "base/memory.h"

#include "base/fail.h"
#include "engine/control_group.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
    MIB = 1 << 20,
    PROGRAM_BYTES = 48 * MIB,
    THREAD_BYTES = 2 * MIB,          /* stack and heap of one */
    CONNECTION_BYTES = 48 * 1024,    /* request, parser of a form, short answer */
    TLS_BYTES = 64 * 1024,           /* a session of GnuTLS */
    SPARE_REQUESTS_BYTES = 16 * MIB, /* kept for the next ones, by each listener */
    PIXEL_BYTES = 10,                /* a progressive JPEG that is turned */
    MAPPED_FROM_BYTES = 128 * 1024,  /* given back at once when freed, if there is a limit */
    KEPT_BYTES = 4 * MIB             /* the same, if there is none */
};
#define EXPLANATION_BYTES ((size_t)2 << 30) /* engine/explain.h's own limit */

struct srv_memory_parts srv_memory_parts_of(const struct srv_config *config, int n_threads)
{
    bool has_tls = config->tls_certificate_file[0] || config->admin_tls_certificate_file[0];
    size_t n_listeners = config->admin[0] ? 2 : 1, n = (size_t)n_threads;
    size_t connection = (size_t)config->max_header_bytes + CONNECTION_BYTES;
    if (has_tls) connection += TLS_BYTES;
    bool explains = strcmp(config->explain, "on") == 0;
    return (struct srv_memory_parts){
        .program = PROGRAM_BYTES + 2 * n * THREAD_BYTES,
        .connections =
            n_listeners * ((size_t)config->max_connections * connection + SPARE_REQUESTS_BYTES),
        .requests = n_listeners * (size_t)config->max_bodies_bytes,
        .decoding = n * (size_t)config->max_image_pixels * PIXEL_BYTES,
        .explanations = explains ? (size_t)config->explain_concurrency * EXPLANATION_BYTES : 0,
    };
}

size_t srv_memory_sum(const struct srv_memory_parts *parts)
{
    return parts->program + parts->connections + parts->requests + parts->decoding +
           parts->explanations;
}

/* --- the limit --- */

static void take_least(const char *folder, const char *file, size_t *least)
{
    char text[64];
    if (!eng_control_group_read(folder, file, text, sizeof text)) return;
    if (text[0] < '0' || text[0] > '9') return; /* "max" */
    unsigned long long value = strtoull(text, NULL, 10);
    if (value < *least) *least = (size_t)value;
}

/* v2 lets a group have less than its parents, and from memory.high on slows it down; v1 says "none"
 * as the largest number of whole pages. */
static void take_limits(const char *folder, void *ctx)
{
    take_least(folder, "memory.max", ctx);
    take_least(folder, "memory.high", ctx);
    take_least(folder, "memory.limit_in_bytes", ctx);
}

static size_t limit_of_groups(const char *root)
{
    const size_t none = (size_t)INT64_MAX - 65536;
    size_t least = none;
    eng_control_groups_visit(root, "memory", take_limits, &least);
    return least == none ? 0 : least;
}

enum eng_status srv_memory_limit(const char *text, const char *root, size_t *out,
                                 struct eng_error *err)
{
    static const char units[] = "KMGT";
    if (strcmp(text, "auto") == 0) {
        *out = limit_of_groups(root);
        return ENG_OK;
    }
    char *end = NULL;
    errno = 0;
    bool begins_well = text[0] >= '0' && text[0] <= '9';
    unsigned long long value = begins_well ? strtoull(text, &end, 10) : 0;
    const char *unit = end && *end ? strchr(units, *end) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    bool is_size = begins_well && errno == 0 && (*end == '\0' || (unit && end[1] == '\0'));
    if (!is_size || value > (unsigned long long)INT64_MAX >> shift)
        return srv_fail(err, ENG_ARGUMENT,
                        "memory_limit is \"%.80s\"; wanted bytes, such as 268435456, 256M or 2G, "
                        "or auto, or 0 for none",
                        text);
    *out = (size_t)value << shift;
    return ENG_OK;
}

/* --- the sum --- */

static double mib(size_t n_bytes)
{
    return (double)n_bytes / MIB;
}

/* what: the sentence's beginning. */
static enum eng_status fail_sum(const struct srv_memory_parts *parts, size_t models, size_t limit,
                                const char *what, struct eng_error *err)
{
    return srv_fail(err, ENG_LIMIT,
                    "%s: at most %.1f MiB may be taken, memory_limit is %.1f MiB: %.1f for the "
                    "program, %.1f for connections (max_connections, max_header_bytes), %.1f for "
                    "requests (max_bodies_bytes), %.1f for decoding (max_image_pixels, threads), "
                    "%.1f for explanations (explain, explain_concurrency), %.1f for models",
                    what, mib(srv_memory_sum(parts) + models), mib(limit), mib(parts->program),
                    mib(parts->connections), mib(parts->requests), mib(parts->decoding),
                    mib(parts->explanations), mib(models));
}

enum eng_status srv_memory_init(struct srv_memory *memory, const struct srv_config *config,
                                int n_threads, struct eng_error *err)
{
    *memory = (struct srv_memory){.n_threads = n_threads, .lock = PTHREAD_MUTEX_INITIALIZER};
    enum eng_status status = srv_memory_check(memory, config, err);
    if (status == ENG_OK) srv_memory_apply(memory, config);
    return status;
}

enum eng_status srv_memory_check(struct srv_memory *memory, const struct srv_config *config,
                                 struct eng_error *err)
{
    struct srv_memory_parts parts = srv_memory_parts_of(config, memory->n_threads);
    size_t limit = 0;
    enum eng_status status = srv_memory_limit(config->memory_limit, "", &limit, err);
    if (status != ENG_OK) return status;
    pthread_mutex_lock(&memory->lock);
    size_t models = memory->models;
    pthread_mutex_unlock(&memory->lock);
    if (limit == 0 || srv_memory_sum(&parts) + models <= limit) return ENG_OK;
    return fail_sum(&parts, models, limit, "the settings do not fit", err);
}

/* What malloc gives back at once: large blocks, and the end of a heap. Left alone it learns from
 * each block that is freed, up to 32 MiB, to keep such: a burst of photographs then stays. Without
 * a limit the usual bodies and pictures are kept, for fresh pages cost their requests some time. */
static void bound_heaps(size_t limit)
{
    mallopt(M_MMAP_THRESHOLD, limit > 0 ? MAPPED_FROM_BYTES : KEPT_BYTES);
    mallopt(M_TRIM_THRESHOLD, limit > 0 ? MAPPED_FROM_BYTES : KEPT_BYTES);
}

void srv_memory_apply(struct srv_memory *memory, const struct srv_config *config)
{
    struct srv_memory_parts parts = srv_memory_parts_of(config, memory->n_threads);
    size_t limit = 0;
    srv_memory_limit(config->memory_limit, "", &limit, NULL); /* it has been checked */
    bound_heaps(limit);
    pthread_mutex_lock(&memory->lock);
    memory->parts = parts;
    memory->limit = limit;
    pthread_mutex_unlock(&memory->lock);
}

enum eng_status srv_memory_take(struct srv_memory *memory, size_t n_bytes, const char *model,
                                struct eng_error *err)
{
    if (!memory) return ENG_OK;
    char what[160];
    pthread_mutex_lock(&memory->lock);
    size_t limit = memory->limit;
    struct srv_memory_parts parts = memory->parts;
    size_t models = memory->models + n_bytes;
    bool fits = limit == 0 || srv_memory_sum(&parts) + models <= limit;
    if (fits) memory->models = models;
    pthread_mutex_unlock(&memory->lock);
    if (fits) return ENG_OK;
    snprintf(what, sizeof what, "model '%.64s' does not fit", model);
    return fail_sum(&parts, models, limit, what, err);
}

void srv_memory_give(struct srv_memory *memory, size_t n_bytes)
{
    if (!memory) return;
    pthread_mutex_lock(&memory->lock);
    memory->models -= n_bytes;
    pthread_mutex_unlock(&memory->lock);
}

void srv_memory_write_metrics(struct srv_memory *memory, struct srv_text *out)
{
    pthread_mutex_lock(&memory->lock);
    const struct srv_memory_parts parts = memory->parts;
    size_t limit = memory->limit, models = memory->models;
    pthread_mutex_unlock(&memory->lock);
    const struct {
        const char *part;
        size_t n_bytes;
    } rows[] = {{"program", parts.program},   {"connections", parts.connections},
                {"requests", parts.requests}, {"decoding", parts.decoding},
                {"models", models},           {"explanations", parts.explanations}};
    srv_metrics_write_head(SRV_M_MEMORY_PLANNED, out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const labels[] = {rows[i].part};
        srv_metrics_write_value(SRV_M_MEMORY_PLANNED, labels, (double)rows[i].n_bytes, out);
    }
    srv_metrics_write_head(SRV_M_MEMORY_LIMIT, out);
    srv_metrics_write_value(SRV_M_MEMORY_LIMIT, NULL, (double)limit, out);
}
