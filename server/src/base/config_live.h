/*
 * Settings that are read again while the daemon runs. Readers hold a pointer to a config that never
 * changes; a reload makes another. Old ones live until the end, for nobody knows who still reads
 * them; a config that comes back is taken out again, so switching to and fro takes no memory.
 */
#ifndef SRV_BASE_CONFIG_LIVE_H
#define SRV_BASE_CONFIG_LIVE_H

#include "base/log.h"
#include "base/options.h"
#include "base/text.h"

struct srv_config_live;

/* Called when a reload has changed something that needs no restart; before and after live until the
 * end. Calls do not overlap. */
typedef void srv_config_apply(void *ctx, const struct srv_config *before,
                              const struct srv_config *after);

typedef enum eng_status srv_config_checker(void *ctx, const struct srv_config *config,
                                           struct eng_error *err);

/*
 * Purpose: begins with the config of options, which is what runs. check: whether a config may run,
 * beside srv_config_check, with the same ctx as apply; NULL: nothing else is asked.
 * Ownership: borrows options, its sources, log (NULL: no lines) and ctx. End with
 * srv_config_live_destroy. Errors: NO_MEMORY.
 */
enum eng_status srv_config_live_create(const struct srv_options *options, struct srv_log *log,
                                       srv_config_checker *check, srv_config_apply *apply,
                                       void *ctx, struct srv_config_live **out,
                                       struct eng_error *err);

/* Purpose: frees it and all configs but the first. Nobody may read them any more. NULL is accepted.
 */
void srv_config_live_destroy(struct srv_config_live *live);

/*
 * Purpose: reads file, environment and flags again and lets hold what can; what needs a restart
 * keeps the value that it runs with. changes (NULL: nobody asks) gets for each setting that differs
 * from what runs {"setting":,"from":,"to":,"holds":"live" | "load" | "restart"}, parted by commas.
 * Errors: those of srv_options_parse, srv_config_check and check; then nothing changes.
 * Threads: any; one at a time, others wait.
 */
enum eng_status srv_config_live_reload(struct srv_config_live *live, struct srv_text *changes,
                                       struct eng_error *err);

#endif
