/* classifyd: serves image classifiers over HTTP. */
#include "base/code.h"
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

static int fail(const struct eng_error *error)
{
    fprintf(stderr, "classifyd: %s\n", error->text);
    return EXIT_FAILURE;
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
    case SRV_HEALTHCHECK: {
        const char *target = options->argument[0] ? options->argument : config->listen;
        return srv_http_healthcheck(target, &error) == ENG_OK ? EXIT_SUCCESS : fail(&error);
    }
    case SRV_CHECK:
    case SRV_SERVE:
        break;
    }
    if (srv_config_check(config, &error) != ENG_OK) return fail(&error);
    return options->command == SRV_CHECK ? srv_daemon_check(config) : srv_daemon_run(config);
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
