/* The files that say who may ask and who we are: keys, tokens, certificates. */
#ifndef CLASSIFYD_SECRETS_H
#define CLASSIFYD_SECRETS_H

#include "api/app.h"

struct srv_tls; /* http/tls.h */

struct srv_secrets {
    struct srv_tls *public_tls, *admin_tls; /* NULL: plain HTTP */
};

/* Purpose: reads the files that the config names, into out and the app's keyrings and list of
 * watched files. Ownership: srv_secrets_close, after a failure too, when the listeners are stopped.
 * Errors: ARGUMENT, IO, LIMIT, FORMAT naming setting and file, NO_MEMORY. */
enum eng_status srv_secrets_open(struct srv_app *app, struct srv_secrets *out,
                                 struct eng_error *err);
void srv_secrets_close(struct srv_app *app, struct srv_secrets *secrets);

#endif
