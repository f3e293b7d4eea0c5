/* What /openapi.json says: the rows of routes.def, openapi.def and openapi_schemas.def. */
#ifndef SRV_API_OPENAPI_H
#define SRV_API_OPENAPI_H

#include "api/routes.h"
#include "base/text.h"

/*
 * Purpose: the OpenAPI 3.0.3 document of the listener's routes. A route that openapi.def does not
 * describe has an operation without responses; a test finds it.
 * Cost: some hundred microseconds.
 */
void srv_openapi_write(enum srv_listener listener, struct srv_text *out);

#endif
