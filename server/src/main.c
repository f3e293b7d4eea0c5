/* classifyd: serves image classifiers over HTTP. */
#include "base/code.h"
#include "base/keys.h"
#include "base/metrics.h"
#include "base/options.h"
#include "daemon.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_document(const char *name)
{
    if (strcmp(name, "settings") == 0)
        srv_config_document(stdout);
    else if (strcmp(name, "metrics") == 0)
        srv_metrics_document(stdout);
    else if (strcmp(name, "errors") == 0)
        srv_code_document(stdout);
    else
        return fprintf(stderr, "classifyd: --docs %s: wanted settings, metrics or errors\n", name),
               EXIT_FAILURE;
    return EXIT_SUCCESS;
}

/* The key comes over standard input: arguments can be read by everybody on the machine. */
static int hash_key(const char *id)
{
    char key[4096], hex[SRV_KEY_HEX_CHARS + 1];
    if (!srv_key_is_id(id, strlen(id)))
        return fprintf(stderr,
                       "classifyd: --hash-key: wanted an id of 1 to %d letters, digits and . _ -\n",
                       SRV_KEY_ID_CHARS),
               EXIT_FAILURE;
    if (!fgets(key, sizeof key, stdin)) key[0] = '\0';
    size_t n = strcspn(key, " \t\r\n");
    bool is_whole = key[n + strspn(key + n, " \t\r\n")] == '\0' && n < sizeof key - 1;
    if (n == 0 || !is_whole)
        return fputs("classifyd: --hash-key: wanted one line on standard input, the key, without "
                     "blanks and of fewer than 4095 characters\n",
                     stderr),
               EXIT_FAILURE;
    srv_key_hash(key, n, hex);
    printf("%s:%s\n", id, hex);
    return EXIT_SUCCESS;
}

static int fail(const struct eng_error *error)
{
    fprintf(stderr, "classifyd: %s\n", error->text);
    return EXIT_FAILURE;
}

/* target "": the public listener of these settings. */
static enum eng_status check_health(const char *target, const struct srv_config *config,
                                    struct eng_error *err)
{
    char url[512];
    if (target[0]) return srv_http_healthcheck(target, err);
    snprintf(url, sizeof url, "%s://%s", config->tls_certificate_file[0] ? "https" : "http",
             config->listen);
    return srv_http_healthcheck(url, err);
}

static int run(const struct srv_options *options)
{
    struct eng_error error = {0};
    const struct srv_config *config = &options->config;
    switch (options->command) {
    case SRV_HELP:
        srv_options_help(stdout);
        return EXIT_SUCCESS;
    case SRV_VERSION:
        puts("classifyd " CLASSIFYD_VERSION);
        return EXIT_SUCCESS;
    case SRV_DOCS:
        return print_document(options->argument);
    case SRV_PRINT_CONFIG:
        return srv_config_print(config, stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
    case SRV_HEALTHCHECK:
        return check_health(options->argument, config, &error) == ENG_OK ? EXIT_SUCCESS
                                                                         : fail(&error);
    case SRV_HASH_KEY:
        return hash_key(options->argument);
    case SRV_CHECK:
    case SRV_SERVE:
        break;
    }
    if (srv_config_check(config, &error) != ENG_OK) return fail(&error);
    return options->command == SRV_CHECK ? srv_daemon_check(options) : srv_daemon_run(options);
}

int main(int argc, char **argv)
{
    struct srv_options options;
    struct eng_error error = {0};
    if (srv_options_parse(argc, argv, environ, &options, &error) != ENG_OK) return fail(&error);
    int status = run(&options);
    srv_options_fini(&options);
    return status;
}
