/* The versions of one model that a command is about: what its config says, which are wanted. */
#ifndef SRV_SERVE_CHOICE_H
#define SRV_SERVE_CHOICE_H

#include "serve/reload.h"
#include "serve/repository.h"

struct srv_choice {
    struct srv_folder *folders; /* [n] of one model, ascending; is_wanted is set. Borrowed */
    size_t n;
    struct srv_model_config config;
};

/* Purpose: fills config from the folder's config.json. Errors: srv_model_config_read's. */
enum eng_status srv_choice_read_config(struct srv_choice *choice, const struct srv_reload *reload,
                                       struct eng_error *err);

/* Purpose: sets is_wanted by the policy and by labels: those that point somewhere now, and those
 * that config says anew unless with_said is false. */
void srv_choice_make(struct srv_choice *choice, const struct srv_reload *reload, bool with_said);

/* Purpose: whether any version is wanted. Errors: FORMAT if none is. */
enum eng_status srv_choice_check(const struct srv_choice *choice, struct eng_error *err);

#endif
