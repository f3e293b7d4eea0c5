/* The command line of classifyd. */
#ifndef SRV_BASE_OPTIONS_H
#define SRV_BASE_OPTIONS_H

#include "base/config.h"

enum srv_command {
    SRV_SERVE,
    SRV_CHECK,        /* --check: settings and models, without serving */
    SRV_PRINT_CONFIG, /* --print-config */
    SRV_HEALTHCHECK,  /* --healthcheck [URL or HOST:PORT] */
    SRV_HASH_KEY,     /* --hash-key ID */
    SRV_DOCS,         /* --docs settings|metrics|errors */
    SRV_VERSION,
    SRV_HELP,
};

struct srv_options {
    enum srv_command command;
    int argc; /* where they come from, to be read again. Borrowed */
    char *const *argv, *const *environment;
    const char
        *argument; /* of --healthcheck ("" if none), --hash-key, --docs; borrowed from argv */
    struct srv_config config;
};

/*
 * Purpose: defaults < --config file < environment < flags, in that order wherever the flags stand.
 * Ownership: end with srv_options_fini. Errors: ARGUMENT, FORMAT, IO naming source and key.
 */
enum eng_status srv_options_parse(int argc, char *const *argv, char *const *environment,
                                  struct srv_options *out, struct eng_error *err);
void srv_options_fini(struct srv_options *options);

/* Purpose: --help. */
void srv_options_help(FILE *out);

#endif
