/* The route table: routes.def as data, and the matcher. */
#ifndef SRV_API_ROUTES_H
#define SRV_API_ROUTES_H

#include "api/request.h"

enum srv_listener { SRV_PUBLIC, SRV_ADMIN };

struct srv_route {
    enum srv_listener listener;
    const char *method;
    const char *pattern;
    srv_handler *handler;
    bool takes_body;
    const char *label;
};

size_t srv_route_count(void);
const struct srv_route *srv_route_at(size_t i);

/* Purpose: "public", "admin". */
const char *srv_listener_name(enum srv_listener listener);

/*
 * Purpose: finds the route of a path as it came over the wire (without query) and writes its
 * captures, percent-decoded. The first pattern that matches decides, so of two that match a path
 * the more literal one stands first. HEAD takes the rows of GET. scratch holds the captures' text:
 * n bytes, at least strlen(path) + SRV_MAX_CAPTURES. Returns OK; NOT_FOUND; METHOD_NOT_ALLOWED with
 * allow filled ("GET, HEAD").
 */
enum srv_code srv_route_match(enum srv_listener listener, const char *method, const char *path,
                              const struct srv_route **out, const char *captures[SRV_MAX_CAPTURES],
                              char *scratch, size_t n, char allow[64]);

#endif
