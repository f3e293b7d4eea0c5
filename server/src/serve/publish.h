/*
 * The loader's half of the registry. Only its thread calls these, unless said otherwise, so it
 * alone changes the table.
 */
#ifndef SRV_SERVE_PUBLISH_H
#define SRV_SERVE_PUBLISH_H

#include "serve/registry.h"

/* Purpose: makes sure that the version is known; LOADING until something is published, also if it
 * was UNLOADED.
 * Errors: NO_MEMORY. */
enum eng_status srv_registry_announce(struct srv_registry *registry, const char *model,
                                      const char *version, struct eng_error *err);

/*
 * Purpose: from now on requests get this one; the version it replaces is retired. The version must
 * have been announced.
 * Ownership: takes served.
 */
void srv_registry_publish_take(struct srv_registry *registry, struct srv_served *served);

/* Purpose: records why the last load of an announced version failed; what serves goes on. */
void srv_registry_fail(struct srv_registry *registry, const char *model, const char *version,
                       const char *reason);

/* Purpose: retires what serves as version i, which is UNLOADED from then on. */
void srv_registry_unload(struct srv_registry *registry, size_t i);

/* Purpose: what serves as version i was sent by a call; until something else is published there. */
void srv_registry_mark_overridden(struct srv_registry *registry, size_t i);

/* Purpose: whether a call decided what serves of the model: unloaded it, or loaded something else
 * than its folder. A reload of everything then leaves it alone. */
bool srv_registry_is_held(const struct srv_registry *registry, const char *model);

/* Purpose: forgets version i; what serves there is retired. */
void srv_registry_remove(struct srv_registry *registry, size_t i);

/*
 * Purpose: what a model's config.json says of labels. A label that it says anew, otherwise or no
 * more moves; where it says what it said before, an operator's call since then holds.
 * Errors: LIMIT, NO_MEMORY.
 */
enum eng_status srv_registry_take_labels(struct srv_registry *registry, const char *model,
                                         const struct srv_model_config *config,
                                         struct eng_error *err);

/* Purpose: whether srv_registry_take_labels has room for what config.json says beside the labels
 * that calls have made. Errors: LIMIT. */
enum eng_status srv_registry_check_labels(struct srv_registry *registry, const char *model,
                                          const struct srv_model_config *config,
                                          struct eng_error *err);

/* Purpose: whether srv_registry_take_labels would let config.json move the label to the version: it
 * does not say what it said before. */
bool srv_registry_says_anew(struct srv_registry *registry, const char *model, const char *label,
                            uint64_t version);

/* Purpose: the versions that a model's labels point to; returns how many. */
size_t srv_registry_labelled(struct srv_registry *registry, const char *model,
                             uint64_t versions[SRV_MAX_VERSION_LABELS]);

/* Purpose: a retired version that nobody uses, for the caller to destroy; NULL when there is none.
 */
struct srv_served *srv_registry_take_unused(struct srv_registry *registry);

/* Purpose: true while any version, published or retired, exists. */
bool srv_registry_has_served(const struct srv_registry *registry);

/* Purpose: the announced versions, sorted by model and number. Borrowed until the next change. */
size_t srv_registry_count(const struct srv_registry *registry);
const char *srv_registry_model_at(const struct srv_registry *registry, size_t i);
const char *srv_registry_version_at(const struct srv_registry *registry, size_t i);
struct srv_served *srv_registry_served_at(const struct srv_registry *registry, size_t i);

/* Purpose: the first load is over: what is unknown now does not exist. */
void srv_registry_end_first_load(struct srv_registry *registry);

/* Purpose: sleeps until srv_registry_wake or a last release, at once if that already happened. */
void srv_registry_wait(struct srv_registry *registry);

/* Purpose: wakes the loader. Any thread. */
void srv_registry_wake(struct srv_registry *registry);

/*
 * Purpose: walks all that exist, retired ones too: acquires the one after previous (NULL: the
 * first) and releases previous. NULL at the end. Any thread.
 */
struct srv_served *srv_registry_next(struct srv_registry *registry, struct srv_served *previous);

#endif
