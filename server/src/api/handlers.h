/* The handlers, h_<name> for each row of routes.def. */
#ifndef SRV_API_HANDLERS_H
#define SRV_API_HANDLERS_H

#include "api/request.h"

#define ROUTE(listener, method, pattern, handler, body, label) srv_handler h_##handler;
#include "api/routes.def"
#undef ROUTE

#endif
