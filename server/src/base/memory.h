/*
 * What the daemon may take at most, against the setting memory_limit: a sum made at start of what
 * the other settings allow, beside which each model is counted when it is loaded. Nothing of it is
 * allocated here. Requests are held to their part by what counts them (max_bodies_bytes), so the
 * sum holds whatever clients send.
 */
#ifndef SRV_BASE_MEMORY_H
#define SRV_BASE_MEMORY_H

#include "base/config.h"
#include "base/metrics.h"

#include <pthread.h>

/* Bytes. */
struct srv_memory_parts {
    size_t program;      /* code, stacks, log, metrics, what malloc holds back */
    size_t connections;  /* max_connections: headers, form, TLS */
    size_t requests;     /* max_bodies_bytes: bodies and what is made of them, answers */
    size_t decoding;     /* max_image_pixels: a picture on each thread that decodes */
    size_t explanations; /* explain_concurrency */
};

struct srv_memory {
    int n_threads;
    pthread_mutex_t lock; /* guards all below */
    size_t limit;         /* 0: none */
    struct srv_memory_parts parts;
    size_t models; /* taken by loaded models */
};

/*
 * Purpose: the parts under these settings, for so many compute threads.
 */
struct srv_memory_parts srv_memory_parts_of(const struct srv_config *config, int n_threads);

/* Purpose: their sum. */
size_t srv_memory_sum(const struct srv_memory_parts *parts);

/*
 * Purpose: memory_limit's text: "0" for none, bytes, such as "268435456", "256M" or "2G", or
 * "auto": the least limit of the process's control groups (v1 and v2), none if they have none. root
 * is put before /proc and /sys ("" but in tests). Errors: ARGUMENT.
 */
enum eng_status srv_memory_limit(const char *text, const char *root, size_t *out,
                                 struct eng_error *err);

/* Purpose: fills memory from the settings; there is nothing to end. Errors: ARGUMENT (memory_limit
 * is no size), LIMIT: the sum is more, listing it. */
enum eng_status srv_memory_init(struct srv_memory *memory, const struct srv_config *config,
                                int n_threads, struct eng_error *err);

/* Purpose: whether other settings, memory_limit among them, fit beside the models that are loaded;
 * and lets them hold. Any thread. Errors: LIMIT, and ARGUMENT for memory_limit. */
enum eng_status srv_memory_check(struct srv_memory *memory, const struct srv_config *config,
                                 struct eng_error *err);
void srv_memory_apply(struct srv_memory *memory, const struct srv_config *config);

/*
 * Purpose: counts n_bytes of a model, before they are allocated. memory NULL: counts nothing.
 * Errors: LIMIT, listing the sum; then nothing is counted. Threads: any.
 */
enum eng_status srv_memory_take(struct srv_memory *memory, size_t n_bytes, const char *model,
                                struct eng_error *err);
void srv_memory_give(struct srv_memory *memory, size_t n_bytes);

/* Purpose: appends classifyd_memory_planned_bytes and classifyd_memory_limit_bytes of now. */
void srv_memory_write_metrics(struct srv_memory *memory, struct srv_text *out);

#endif
