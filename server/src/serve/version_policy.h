/* Which versions of a model are to serve. Pure. */
#ifndef SRV_SERVE_VERSION_POLICY_H
#define SRV_SERVE_VERSION_POLICY_H

#include "base/config_model.h"

/* What else than the policy decides. */
struct srv_version_context {
    size_t default_latest; /* what SRV_VERSIONS_DEFAULT means: so many of the highest, 0: all */
    const uint64_t
        *labelled; /* [n_labelled]: what labels point to serves whatever the policy says */
    size_t n_labelled;
};

/* Purpose: whether a version is to serve that n_higher versions of the model are higher than. */
bool srv_version_policy_wants(const struct srv_version_policy *policy,
                              const struct srv_version_context *context, uint64_t version,
                              size_t n_higher);

#endif
