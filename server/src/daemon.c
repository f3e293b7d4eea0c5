#include "daemon.h"

#include "api/authorize.h"
#include "api/config_hold.h"
#include "base/clock.h"
#include "base/fail.h"
#include "engine/cpu.h"
#include "http/http.h"
#include "secrets.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ADMIN_THREADS = 1 };

/* Everything that lives as long as the process, in the order in which it is made. */
struct daemon {
    struct srv_app app;
    struct srv_secrets secrets;
    struct eng_pool *pool;
    struct eng_tuning_cache *tuning_cache;
    struct srv_memory memory;
    struct srv_http *public_http, *admin_http;
};

static enum eng_status start_loader(struct daemon *d, struct eng_error *err)
{
    const struct srv_config *config = d->app.config;
    struct srv_loader_options options = {.log = d->app.log};
    srv_config_loader(config, &options);
    options.served.pool = d->pool;
    options.served.memory = &d->memory;
    options.served.metrics = d->app.metrics;
    options.served.tuning_cache = d->tuning_cache;
    return srv_loader_start(&options, d->app.registry, &d->app.loader, err);
}

/* All but the listeners. On failure daemon_fini takes down what stands. */
static enum eng_status daemon_init(struct daemon *d, const struct srv_options *options,
                                   struct eng_error *err)
{
    const struct srv_config *config = &options->config;
    enum srv_log_level level = SRV_LOG_INFO;
    srv_log_level_parse(config->log_level, &level);
    *d = (struct daemon){.app = {.config = config, .memory = &d->memory}};
    enum eng_status status = eng_cpu_set_level(config->cpu_level, err);
    if (status != ENG_OK) return status;
    d->app.log = srv_log_create(STDERR_FILENO, level, strcmp(config->log_format, "json") == 0);
    d->app.metrics = srv_metrics_create(d->app.log);
    if (!d->app.log || !d->app.metrics) return srv_fail_memory(err, "log and metrics");
    const char *const build[] = {CLASSIFYD_VERSION, __VERSION__};
    srv_series_set(srv_metrics_series(d->app.metrics, SRV_M_BUILD_INFO, build), 1);
    status = srv_secrets_open(&d->app, &d->secrets, err);
    if (status == ENG_OK) status = eng_pool_create((int)config->threads, &d->pool, err);
    if (status == ENG_OK) status = srv_memory_init(&d->memory, config, eng_pool_size(d->pool), err);
    if (status == ENG_OK) status = eng_tuning_cache_create(&d->tuning_cache, err);
    if (status == ENG_OK)
        status = srv_registry_create(config->default_model, &d->app.registry, err);
    if (status == ENG_OK)
        status = srv_explainer_create(d->pool, d->app.metrics, (size_t)config->explain_concurrency,
                                      config->explain_max_ms * 1000, &d->app.explainer, err);
    if (status == ENG_OK) status = start_loader(d, err);
    if (status == ENG_OK)
        status = srv_config_live_create(options, d->app.log, srv_config_may_hold, srv_config_hold,
                                        &d->app, &d->app.config_live, err);
    return status;
}

/* Every request is over, so nothing is in flight anywhere. */
static void daemon_fini(struct daemon *d)
{
    srv_http_stop(d->public_http);
    srv_http_stop(d->admin_http);
    srv_loader_stop(d->app.loader);
    eng_tuning_cache_destroy(d->tuning_cache);
    eng_pool_destroy(d->pool);
    srv_explainer_destroy(d->app.explainer);
    srv_registry_destroy(d->app.registry);
    srv_metrics_destroy(d->app.metrics);
    srv_secrets_close(&d->app, &d->secrets);
    srv_log_destroy(d->app.log);
    srv_config_live_destroy(d->app.config_live);
}

static enum eng_status open_listeners(struct daemon *d, struct eng_error *err)
{
    const struct srv_config *config = d->app.config;
    int n_threads = config->http_threads > 0 ? (int)config->http_threads : eng_pool_cpus();
    enum eng_status status = srv_http_start(&d->app, SRV_PUBLIC, config->listen,
                                            d->secrets.public_tls, n_threads, &d->public_http, err);
    if (status == ENG_OK && config->admin[0])
        status = srv_http_start(&d->app, SRV_ADMIN, config->admin, d->secrets.admin_tls,
                                ADMIN_THREADS, &d->admin_http, err);
    return status;
}

/* For people at a terminal, and for scripts that let port 0 choose. */
static void greet(const struct daemon *d)
{
    const struct srv_log_field level = {.key = "cpu_level", .text = eng_cpu_level()};
    srv_log_write(d->app.log, SRV_LOG_INFO, "listening", &level, 1);
    printf("listening on %s (admin %s)\n", srv_http_url(d->public_http),
           d->admin_http ? srv_http_url(d->admin_http) : "off");
    fflush(stdout);
}

/* The same for what to do next. False: no model serves yet. */
static bool suggest(const struct daemon *d)
{
    struct srv_snapshot snapshot = {0};
    bool found = false;
    if (srv_registry_snapshot(d->app.registry, &snapshot, NULL) != ENG_OK) return false;
    for (size_t i = 0; i < snapshot.n_versions && !found; i++) {
        found = snapshot.versions[i].digest[0] != '\0';
        if (found)
            printf("try: curl -T PICTURE.png %s/classify/%s\n", srv_http_url(d->public_http),
                   snapshot.versions[i].model);
    }
    fflush(stdout);
    srv_snapshot_fini(&snapshot);
    return found;
}

static void exit_now(int signal_number)
{
    _exit(128 + signal_number);
}

static sigset_t handled_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

static void reload(const struct daemon *d)
{
    struct srv_watched_row rows[SRV_MAX_WATCHED];
    struct eng_error error = {0};
    if (srv_config_live_reload(d->app.config_live, NULL, &error) != ENG_OK) {
        const struct srv_log_field field = {.key = "reason", .text = error.text};
        srv_log_write(d->app.log, SRV_LOG_ERROR, "settings not reloaded", &field, 1);
    }
    srv_watched_reload(d->app.watched, rows);
    if (!srv_loader_reload(d->app.loader, NULL, NULL, NULL))
        srv_log_write(d->app.log, SRV_LOG_ERROR, "SIGHUP not heeded: out of memory", NULL, 0);
}

/* Returns the signal; -1 when it is time to look around, which is often at first. */
static int wait_for_signal(const sigset_t *set, bool is_starting)
{
    static const struct timespec moment = {.tv_nsec = 100000000}, second = {.tv_sec = 1};
    return sigtimedwait(set, NULL, is_starting ? &moment : &second);
}

/* Until SIGTERM or SIGINT, which it returns; from then on a second one ends the process at once. */
static int serve(const struct daemon *d)
{
    const sigset_t set = handled_signals();
    bool has_suggested = false;
    int received;
    do {
        received = wait_for_signal(&set, !has_suggested);
        if (received == SIGHUP) reload(d);
        if (received < 0) srv_watched_look(d->app.watched);
        bool is_loaded = srv_registry_ready(d->app.registry); /* an empty folder is, too */
        if (!has_suggested) has_suggested = suggest(d) || is_loaded;
    } while (received != SIGTERM && received != SIGINT);
    const struct sigaction action = {.sa_handler = exit_now};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigset_t last;
    sigemptyset(&last);
    sigaddset(&last, SIGTERM);
    sigaddset(&last, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &last, NULL);
    return received;
}

/* Load balancers see readyz say 503 while everything is still answered. */
static void lame_duck(const struct daemon *d)
{
    int64_t ms = d->app.config->lame_duck_ms;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* False: requests are still in flight, so nothing may be torn down. */
static bool drain(const struct daemon *d, int received)
{
    const struct srv_log_field field = {.key = "signal", .text = strsignal(received)};
    srv_log_write(d->app.log, SRV_LOG_INFO, "stopping", &field, 1);
    if (received == SIGTERM) lame_duck(d);
    int64_t until_us = srv_clock_us() + d->app.config->drain_timeout_ms * 1000;
    /* Who is drained refuses, so the public listener comes last. */
    bool is_admin_empty = srv_http_drain(d->admin_http, d->app.config->drain_timeout_ms);
    int64_t left_us = until_us - srv_clock_us();
    bool is_public_empty = srv_http_drain(d->public_http, left_us > 0 ? left_us / 1000 : 0);
    return is_admin_empty && is_public_empty;
}

static int fail(struct daemon *d, const struct eng_error *error)
{
    fprintf(stderr, "classifyd: %s\n", error->text);
    /* The public listener may have taken requests before the admin's address turned out bad. */
    if (!srv_http_drain(d->public_http, d->app.config->drain_timeout_ms)) _exit(EXIT_FAILURE);
    daemon_fini(d);
    return EXIT_FAILURE;
}

int srv_daemon_run(const struct srv_options *options)
{
    struct daemon d;
    struct eng_error error = {0};
    const sigset_t set = handled_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread is made: serve waits for them */
    signal(SIGPIPE, SIG_IGN);
    if (daemon_init(&d, options, &error) != ENG_OK || open_listeners(&d, &error) != ENG_OK)
        return fail(&d, &error);
    greet(&d);
    int received = serve(&d);
    atomic_store(&d.app.shutting_down, true);
    if (!drain(&d, received)) {
        fprintf(stderr, "classifyd: requests were still in flight after drain_timeout_ms\n");
        _exit(EXIT_FAILURE);
    }
    daemon_fini(&d);
    return EXIT_SUCCESS;
}

int srv_daemon_check(const struct srv_options *options)
{
    struct daemon d;
    struct eng_error error = {0};
    if (daemon_init(&d, options, &error) != ENG_OK) return fail(&d, &error);
    srv_loader_wait_first(d.app.loader);
    struct srv_snapshot snapshot = {0};
    if (srv_registry_snapshot(d.app.registry, &snapshot, &error) != ENG_OK) return fail(&d, &error);
    size_t n_bad = 0;
    for (size_t i = 0; i < snapshot.n_versions; i++) {
        const struct srv_version_info *v = &snapshot.versions[i];
        bool is_good = v->digest[0] != '\0';
        n_bad += !is_good;
        printf("%s/%s: %s\n", v->model, v->version, is_good ? "ok" : v->reason);
    }
    printf("%zu versions, %zu of them rejected\n", snapshot.n_versions, n_bad);
    srv_snapshot_fini(&snapshot);
    daemon_fini(&d);
    return n_bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
