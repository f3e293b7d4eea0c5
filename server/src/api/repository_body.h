/* The bodies of the repository API. A call that returns false has made the reply an error. */
#ifndef SRV_API_REPOSITORY_BODY_H
#define SRV_API_REPOSITORY_BODY_H

#include "api/request.h"
#include "serve/loader.h"

/* Purpose: of index: nothing, or {"ready": true | false}. */
bool srv_repository_read_index(struct srv_request *request, bool *ready_only);

/* Purpose: of unload: nothing, or {"parameters": {"unload_dependents": true | false}}, which means
 * nothing here. */
bool srv_repository_read_unload(struct srv_request *request);

/*
 * Purpose: of load: nothing, or {"parameters": {"config": "<text of config.json>",
 * "file:1/model.onnx": "<base64>"}}.
 * Ownership: *out, NULL if nothing is to be overridden, is the caller's.
 * Errors: INVALID_REQUEST, TURNED_OFF (the setting repository_overrides), INTERNAL (no memory).
 */
bool srv_repository_read_load(struct srv_request *request, struct srv_override **out);

/*
 * Purpose: the same without a request: parses a body.
 * Errors: FORMAT or ARGUMENT naming the member; LIMIT (SRV_MAX_UPLOADS); NO_MEMORY.
 */
enum eng_status srv_repository_parse_load(const char *body, size_t n_bytes,
                                          struct srv_override **out, struct eng_error *err);

#endif
