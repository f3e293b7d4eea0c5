/*
 * Which pages of other origins may read our answers in a browser: cors_allow_origins, for the
 * public listener. Source: the Fetch standard, 3.2 (CORS protocol).
 */
#ifndef SRV_API_CORS_H
#define SRV_API_CORS_H

#include "api/request.h"

/* Called for each header of a reply. Both texts live until the request ends. */
typedef void srv_cors_writer(void *ctx, const char *name, const char *value);

/*
 * Purpose: answers a browser that asks before it sends (OPTIONS with Origin and
 * Access-Control-Request-Method) for a path that reply.allow has methods of. True: the reply is
 * made, 200 or 403. It needs no key: browsers send none here. False: it is no such request, or CORS
 * is off.
 */
bool srv_cors_preflight(struct srv_request *request);

/* Purpose: the headers of any reply of the public listener, errors too. Cost: a load where CORS is
 * off. */
void srv_cors_write(const struct srv_request *request, srv_cors_writer *write, void *ctx);

#endif
