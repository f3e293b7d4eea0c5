#include "serve/choice.h"

#include "base/fail.h"
#include "serve/publish.h"
#include "serve/version_policy.h"

#include <limits.h>
#include <stdio.h>

enum eng_status srv_choice_read_config(struct srv_choice *choice, const struct srv_reload *reload,
                                       struct eng_error *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/config.json", reload->options->models_dir,
             choice->folders[0].model);
    return srv_model_config_read(path, &choice->config, err);
}

void srv_choice_make(struct srv_choice *choice, const struct srv_reload *reload, bool with_said)
{
    uint64_t labelled[2 * SRV_MAX_VERSION_LABELS];
    const struct srv_model_config *config = &choice->config;
    const char *model = choice->folders[0].model;
    size_t n = srv_registry_labelled(reload->registry, model, labelled);
    for (size_t i = 0; i < config->n_labels && with_said; i++)
        if (srv_registry_says_anew(reload->registry, model, config->labels[i].name,
                                   config->labels[i].version))
            labelled[n++] = config->labels[i].version;
    const struct srv_version_context context = {
        .default_latest = reload->options->latest_versions, .labelled = labelled, .n_labelled = n};
    for (size_t i = 0; i < choice->n; i++)
        choice->folders[i].is_wanted = srv_version_policy_wants(
            &config->policy, &context, choice->folders[i].number, choice->n - 1 - i);
}

enum eng_status srv_choice_check(const struct srv_choice *choice, struct eng_error *err)
{
    for (size_t i = 0; i < choice->n; i++)
        if (choice->folders[i].is_wanted) return ENG_OK;
    return srv_fail(err, ENG_FORMAT,
                    "the version policy of model '%s' leaves no version of it; the highest that "
                    "there is is %s",
                    choice->folders[0].model, choice->folders[choice->n - 1].version);
}
