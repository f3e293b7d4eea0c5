/* What requests to a model share. A call that returns false has made the reply an error. */
#ifndef SRV_API_MODEL_REQUEST_H
#define SRV_API_MODEL_REQUEST_H

#include "api/pictures.h"
#include "api/request.h"
#include "serve/job.h"
#include "serve/registry.h"

/* Purpose: a reply with the sentence, or with the code's own if nobody knew a better one. */
void srv_request_fail(struct srv_request *request, enum srv_code code,
                      const struct eng_error *error);

/* Purpose: the same for a refusal that may end: retry_after_s becomes the reply's Retry-After if it
 * is more than the code's own. */
void srv_request_refuse(struct srv_request *request, enum srv_code code, unsigned retry_after_s,
                        const struct eng_error *error);

/*
 * Purpose: the headers X-Request-Deadline-Ms, which shortens the request's deadline, and
 * X-Request-Priority, 1 (goes first) to SRV_MAX_PRIORITY; *priority is 0 without it.
 */
bool srv_request_read_limits(struct srv_request *request, unsigned *priority);

/* Purpose: room for what reading the body makes of it, before it is made: numbers of JSON, pictures
 * of base64. Anything else needs none. */
bool srv_request_reserve_inputs(struct srv_request *request);

/*
 * Purpose: the version that {model} and {version}, or {label}, name, for log and metrics too.
 * Ownership: the caller releases *out, which is NULL on failure.
 */
bool srv_request_acquire(struct srv_request *request, struct srv_served **out);

/* Purpose: what a handler returns that has called the loader: LATER if the call is queued, then its
 * callback writes the reply and resumes the request; else the reply says why it is not. */
enum srv_handled srv_request_wait_for_loader(struct srv_request *request, bool is_queued);

/* Purpose: what there is. The caller ends *out with srv_snapshot_fini. */
bool srv_request_snapshot(struct srv_request *request, struct srv_snapshot *out);

/* Purpose: how much a request may hold, by the settings. */
struct srv_pictures_limits srv_request_limits(const struct srv_request *request);

/* Purpose: the headers X-Model, X-Model-Version and X-Model-Digest: who answers, for replies whose
 * form has no place for it. */
void srv_request_add_model_headers(struct srv_request *request, const struct srv_served *served);

/* Purpose: the body's pictures, within the settings' limits. End with srv_pictures_fini. */
bool srv_request_read_pictures(struct srv_request *request, const struct eng_card *card,
                               struct srv_pictures *out);

/* Purpose: times of a job that is over: for log, metrics and the header Server-Timing. */
void srv_request_note_times(struct srv_request *request, const struct srv_job_times *times);

#endif
