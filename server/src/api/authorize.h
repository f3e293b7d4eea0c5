/* Who may ask: API keys on the public listener, tokens on the admin listener. */
#ifndef SRV_API_AUTHORIZE_H
#define SRV_API_AUTHORIZE_H

#include "api/request.h"
#include "base/config.h"

/*
 * Purpose: false and a reply of 401 or 403 if the route wants a key or token (Authorization:
 * Bearer, or X-API-Key) that is not there or not the right one; else request.client_key says whose
 * it is. Cost: two loads where no file of keys is set.
 */
bool srv_request_authorize(struct srv_request *request);

/* Purpose: whether the setting api_keys_exempt names labels of routes only. Errors: ARGUMENT naming
 * the nearest. */
enum eng_status srv_authorize_check(const struct srv_config *config, struct eng_error *err);

#endif
