/* The registry's insides, shared by registry.c, labels.c, publish.c and snapshot.c. */
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
    bool is_first;             /* announced before the first load was over */
    bool is_overridden;        /* serves what a call sent, not what its folder holds */
    struct eng_error failure;  /* of the last load; ENG_OK when it went well */
    int64_t loaded_unix_s;
};

/* The later of two sayings holds: an operator's call, or a config.json that says another version
 * than it said before. */
struct srv_label_row {
    char model[SRV_MODEL_CHARS + 1], label[SRV_LABEL_CHARS + 1];
    uint64_t version; /* 0: an operator took it away */
    uint64_t said;    /* by config.json when it was read last; 0: nothing */
};

struct srv_registry {
    pthread_mutex_t lock; /* guards all below, and every srv_served_link */
    char *default_model;  /* "" if none */
    pthread_cond_t wake;  /* the loader's */
    bool woken;
    bool first_load_over;
    struct srv_row *rows; /* sorted by model, then number */
    size_t n_rows, rows_capacity;
    struct srv_label_row *labels; /* sorted by model, then label */
    size_t n_labels;
    struct srv_served *all; /* every version that is not freed yet */
};

/* Purpose: where the rows of a model begin, or would; *end is the row after its last. Lock held. */
size_t srv_table_find(const struct srv_registry *registry, const char *model, size_t *end);

/* labels.c; lock held. label: its version, 0 if there is none. list: "canary, stable", cut to n
 * bytes. forget: all of a model. */
uint64_t srv_table_label(const struct srv_registry *registry, const char *model, const char *label);
void srv_table_list_labels(const struct srv_registry *registry, const char *model, char *text,
                           size_t n);
void srv_table_forget_labels(struct srv_registry *registry, const char *model);

/* Purpose: the row that answers for [begin, end): the highest that serves, NULL if none does. */
struct srv_row *srv_table_default(const struct srv_registry *registry, size_t begin, size_t end);

#endif
