/*
 * Which models and versions serve. acquire samples the pointer and counts up under one mutex;
 * publish is one assignment under the same mutex; the last release only wakes the loader, which
 * frees.
 *
 * The locks of serve/, of which no thread ever holds two:
 *   registry  the table of versions, every version's reference count, the loader's bell
 *   served    one version's queue and free slots (a lock per version)
 *   loader    the queue of reload commands
 *   watcher   whether jobs may be waiting for their deadline
 * The pool's, the log's and the metrics' locks lie below: none of these is held when they are
 * called. Only the loader's thread writes the table, so it alone reads it without the lock.
 */
#ifndef SRV_SERVE_REGISTRY_H
#define SRV_SERVE_REGISTRY_H

#include "base/code.h"
#include "base/config_model.h"
#include "engine/status.h"
#include "serve/served.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct srv_registry;

/* UNLOADED: by a call, until a call loads it. */
enum srv_state { SRV_LOADING, SRV_READY, SRV_DRAINING, SRV_FAILED, SRV_UNLOADED };

/* One version as /models shows it; strings are copies, owned by the snapshot. A version that was
 * loaded anew stands there twice while requests still hold the old one: READY and DRAINING. */
struct srv_version_info {
    char *model, *version, *digest; /* digest "" when nothing serves */
    enum srv_state state;
    char *reason;    /* why the last load failed, "" if it did not */
    bool is_default; /* what /classify/{model} without a version takes */
    int64_t loaded_unix_s;
    size_t n_classes, session_bytes, queue_length;
    unsigned guessed; /* enum eng_guess bits */
    uint32_t width_px, height_px, n_channels;
};

struct srv_label_info {
    char model[SRV_MODEL_CHARS + 1], label[SRV_LABEL_CHARS + 1];
    uint64_t version;
};

/* Sorted by model and number; of one version, what serves stands before what drains. Labels by
 * model and name. */
struct srv_snapshot {
    struct srv_version_info *versions;
    size_t n_versions;
    struct srv_label_info *labels;
    size_t n_labels;
};

/* Purpose: an empty one. default_model is copied; NULL or "": none. Errors: NO_MEMORY. */
enum eng_status srv_registry_create(const char *default_model, struct srv_registry **out,
                                    struct eng_error *err);

/* Purpose: frees it, after the loader has stopped and the pool is gone. NULL is accepted. */
void srv_registry_destroy(struct srv_registry *registry);

/*
 * Purpose: the version to answer a request with; the caller ends with srv_registry_release.
 * model NULL or "": default_model, else the only one. version NULL or "": the highest that serves;
 * else its number, or a label, which never is a number.
 * Errors: MODEL_NOT_FOUND (naming what there is; also for what was unloaded by a call), NOT_READY
 * (known, but not loaded: says why not).
 * Threads: any. Cost: one lock.
 */
enum srv_code srv_registry_acquire(struct srv_registry *registry, const char *model,
                                   const char *version, struct srv_served **out,
                                   struct eng_error *err);
void srv_registry_release(struct srv_registry *registry, struct srv_served *served);

/* Purpose: the same for the version that a label points to. Errors: MODEL_NOT_FOUND also for a
 * label that there is not, or that points to a version that there is not. */
enum srv_code srv_registry_acquire_label(struct srv_registry *registry, const char *model,
                                         const char *label, struct srv_served **out,
                                         struct eng_error *err);

/*
 * Purpose: points a label of a model to a version that serves; makes the label if need be, or takes
 * it away. Holds over reloads until config.json's version_labels says another version than before.
 * Errors: INVALID_REQUEST (a bad name), MODEL_NOT_FOUND (no such model; no such label to remove),
 * CONFLICT (the version does not serve, or the model has SRV_MAX_VERSION_LABELS), INTERNAL (no
 * memory). Threads: any.
 */
enum srv_code srv_registry_move_label(struct srv_registry *registry, const char *model,
                                      const char *label, const char *version,
                                      struct eng_error *err);
enum srv_code srv_registry_remove_label(struct srv_registry *registry, const char *model,
                                        const char *label, struct eng_error *err);

/* Purpose: which model requests get that name none; "": none, or the only one.
 * Errors: MODEL_NOT_FOUND, INTERNAL (no memory). Threads: any. */
enum srv_code srv_registry_set_default(struct srv_registry *registry, const char *model,
                                       struct eng_error *err);

/* Purpose: the same without looking whether there is such a model, as the setting default_model
 * does: there may be one later. Errors: INTERNAL (no memory). */
enum srv_code srv_registry_say_default(struct srv_registry *registry, const char *model);

/* Purpose: the default model's name, "" if there is none, to text of n bytes. Threads: any. */
void srv_registry_default(struct srv_registry *registry, char *text, size_t n);

/* Purpose: true once the first load is over and every model that it met has a version that serves,
 * or was unloaded by a call: what is added later takes nobody's readiness. */
bool srv_registry_ready(struct srv_registry *registry);

/* Purpose: what /models shows, and the metrics that are read from it (versions, queue lengths). */
enum eng_status srv_registry_snapshot(struct srv_registry *registry, struct srv_snapshot *out,
                                      struct eng_error *err);
void srv_snapshot_fini(struct srv_snapshot *snapshot);

/* Purpose: whether the i-th version stands there already: what drains beside something newer of the
 * same version is none of its own. */
bool srv_snapshot_is_repeated(const struct srv_snapshot *snapshot, size_t i);

#endif
