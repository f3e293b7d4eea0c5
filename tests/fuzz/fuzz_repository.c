/*
 * Any bytes as the body of the repository API's load are parameters within their bounds, or an
 * error sentence; any bytes as a model's config.json are labels and a policy, or a sentence.
 */
#include "api/repository_body.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static volatile uint8_t sink;

static void require(int condition)
{
    if (!condition) abort();
}

static void check_config(const char *text, size_t n_bytes)
{
    struct srv_model_config config;
    struct eng_error err = {0};
    enum eng_status status = srv_model_config_parse(text, n_bytes, "config.json", &config, &err);
    require((status == ENG_OK) == (err.text[0] == '\0'));
    if (status != ENG_OK) return;
    require(config.n_labels <= SRV_MAX_VERSION_LABELS);
    for (size_t i = 0; i < config.n_labels; i++)
        require(srv_label_is_name(config.labels[i].name) && config.labels[i].version > 0);
    require(config.policy.n_versions <= SRV_MAX_LISTED_VERSIONS);
    for (size_t i = 0; i < config.policy.n_versions; i++)
        require(config.policy.versions[i] > 0);
}

static void check_override(const struct srv_override *override)
{
    require(override->config || override->n_files > 0);
    require(override->n_files <= SRV_MAX_UPLOADS);
    for (size_t i = 0; i < override->n_files; i++) {
        const struct srv_upload *file = &override->files[i];
        require(srv_version_number(file->version) > 0 && file->n_bytes > 0);
        for (size_t k = 0; k < i; k++)
            require(strcmp(override->files[k].version, file->version) != 0);
        sink = file->bytes[file->n_bytes - 1];
    }
    if (override->config) check_config(override->config, strlen(override->config));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct eng_error err = {0};
    struct srv_override *override = NULL;
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    enum eng_status status = srv_repository_parse_load(text, n_bytes, &override, &err);
    require((status == ENG_OK) == (err.text[0] == '\0'));
    require(status == ENG_OK || !override);
    if (override) check_override(override);
    srv_override_destroy(override);
    check_config(text, n_bytes);
    free(text);
    return 0;
}
