/* What settings mean to the parts of the daemon. */
#ifndef SRV_API_CONFIG_HOLD_H
#define SRV_API_CONFIG_HOLD_H

#include "api/app.h"

/* Purpose: fills what settings say of the loader and of how models serve; the rest of out stays.
 * Ownership: out borrows the config's texts. */
void srv_config_loader(const struct srv_config *config, struct srv_loader_options *out);

/* Purpose: reads the files of keys and certificates that the settings name, to be taken by
 * srv_watched_take. Errors: naming setting and file. */
enum eng_status srv_config_prepare_files(struct srv_watched *watched,
                                         const struct srv_config *config, struct eng_error *err);

/* Purpose: whether a reload may let these settings hold, beside srv_config_check: whom they let in,
 * the models folder, memory, and files of keys and certificates, which it prepares. A
 * srv_config_checker whose ctx is the struct srv_app. */
enum eng_status srv_config_may_hold(void *app, const struct srv_config *config,
                                    struct eng_error *err);

/* Purpose: lets changed settings hold: a srv_config_apply whose ctx is the struct srv_app. What is
 * read from app->config as it is needed holds by itself. */
void srv_config_hold(void *app, const struct srv_config *before, const struct srv_config *after);

#endif
