#include "serve/version_policy.h"

static bool contains(const uint64_t *versions, size_t n, uint64_t version)
{
    for (size_t i = 0; i < n; i++)
        if (versions[i] == version) return true;
    return false;
}

bool srv_version_policy_wants(const struct srv_version_policy *policy,
                              const struct srv_version_context *context, uint64_t version,
                              size_t n_higher)
{
    if (contains(context->labelled, context->n_labelled, version)) return true;
    switch (policy->kind) {
    case SRV_VERSIONS_DEFAULT:
        return context->default_latest == 0 || n_higher < context->default_latest;
    case SRV_VERSIONS_LATEST:
        return n_higher < policy->n_latest;
    case SRV_VERSIONS_ALL:
        return true;
    case SRV_VERSIONS_SPECIFIC:
        return contains(policy->versions, policy->n_versions, version);
    }
    return true;
}
