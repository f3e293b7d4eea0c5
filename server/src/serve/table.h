/* The registry's insides, shared by registry.c, publish.c and snapshot.c. */
#ifndef SRV_SERVE_TABLE_H
#define SRV_SERVE_TABLE_H

#include "serve/publish.h"

#include <pthread.h>

/* One version of a model. */
struct srv_row {
    char *model, *version;
    uint64_t number;           /* of the version */
    struct srv_served *served; /* NULL: nothing serves */
    enum srv_state state;      /* SRV_READY exactly while something serves */
    struct eng_error failure;  /* of the last load; ENG_OK when it went well */
    int64_t loaded_unix_s;
};

struct srv_registry {
    char *default_model;  /* "" if none */
    pthread_mutex_t lock; /* guards all below, and every srv_served_link */
    pthread_cond_t wake;  /* the loader's */
    bool woken;
    bool first_load_over;
    struct srv_row *rows; /* sorted by model, then number */
    size_t n_rows, rows_capacity;
    struct srv_served *all; /* every version that is not freed yet */
};

/* Purpose: where the rows of a model begin, or would; *end is the row after its last. Lock held. */
size_t srv_table_find(const struct srv_registry *registry, const char *model, size_t *end);

/* Purpose: the row that answers for [begin, end): the highest that serves, NULL if none does. */
struct srv_row *srv_table_default(const struct srv_registry *registry, size_t begin, size_t end);

#endif
