#include "serve/loader.h"

#include "base/fail.h"
#include "serve/publish.h"
#include "serve/reload.h"
#include "serve/repository.h"
#include "serve/watcher.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum kind { RELOAD, LOAD, UNLOAD };

struct command {
    struct command *next;
    enum kind kind;
    char *model; /* NULL: all; RELOAD only */
    struct srv_override *override;
    srv_reload_done *done;
    void *ctx;
};

struct srv_loader {
    struct srv_loader_options options; /* once it runs, under the lock */
    struct srv_registry *registry;
    struct srv_watcher *watcher;
    pthread_t thread;
    atomic_bool stopping; /* written under the lock; a reload looks at it without */
    pthread_mutex_t lock;
    pthread_cond_t first_load; /* over */
    bool first_load_over;
    struct command *head, *tail;
};

/* --- commands --- */

static void free_command(struct command *command)
{
    free(command->model);
    srv_override_destroy(command->override);
    free(command);
}

static struct command *make_command(enum kind kind, const char *model, srv_reload_done *done,
                                    void *ctx)
{
    struct command *command = calloc(1, sizeof *command);
    if (!command) return NULL;
    command->kind = kind;
    command->done = done;
    command->ctx = ctx;
    if (model && !(command->model = strdup(model))) {
        free(command);
        return NULL;
    }
    return command;
}

static bool reloads_all(const struct command *command)
{
    return command->kind == RELOAD && !command->model;
}

/* Lock held: whether the last in the queue will do all that the command asks for. */
static bool is_repeated(const struct srv_loader *loader, const struct command *command)
{
    return loader->tail && reloads_all(loader->tail) && reloads_all(command) && !command->done;
}

/* Takes the command. False: shutting down. */
static bool queue_take(struct srv_loader *loader, struct command *command)
{
    pthread_mutex_lock(&loader->lock);
    bool accepted = !atomic_load(&loader->stopping);
    bool queued = accepted && !is_repeated(loader, command);
    if (queued) {
        if (loader->tail)
            loader->tail->next = command;
        else
            loader->head = command;
        loader->tail = command;
    }
    pthread_mutex_unlock(&loader->lock);
    if (queued)
        srv_registry_wake(loader->registry);
    else
        free_command(command);
    return accepted;
}

bool srv_loader_reload(struct srv_loader *loader, const char *model, srv_reload_done *done,
                       void *ctx)
{
    struct command *command = make_command(RELOAD, model, done, ctx);
    return command && queue_take(loader, command);
}

bool srv_loader_load_take(struct srv_loader *loader, const char *model,
                          struct srv_override *override, srv_reload_done *done, void *ctx)
{
    struct command *command = make_command(LOAD, model, done, ctx);
    if (!command) {
        srv_override_destroy(override);
        return false;
    }
    command->override = override;
    return queue_take(loader, command);
}

bool srv_loader_unload(struct srv_loader *loader, const char *model, srv_reload_done *done,
                       void *ctx)
{
    struct command *command = make_command(UNLOAD, model, done, ctx);
    return command && queue_take(loader, command);
}

static struct command *take_command(struct srv_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    struct command *command = loader->head;
    if (command) {
        loader->head = command->next;
        if (!loader->head) loader->tail = NULL;
    }
    pthread_mutex_unlock(&loader->lock);
    return command;
}

/* --- settings --- */

static struct srv_loader_options options_of(struct srv_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    struct srv_loader_options options = loader->options;
    pthread_mutex_unlock(&loader->lock);
    return options;
}

static void apply_to_all(struct srv_loader *loader)
{
    const struct srv_loader_options options = options_of(loader);
    for (struct srv_served *at = NULL; (at = srv_registry_next(loader->registry, at));)
        srv_served_apply(at, &options.served);
}

/* Not the pool and what else the loader was started with. */
static void take_settings(const struct srv_served_options *from, struct srv_served_options *to)
{
    to->max_queue = from->max_queue;
    to->max_batch = from->max_batch;
    to->max_delay_us = from->max_delay_us;
    to->precision = from->precision;
    to->tuning = from->tuning;
    to->inline_below_us = from->inline_below_us;
    to->limits = from->limits;
}

void srv_loader_configure(struct srv_loader *loader, const struct srv_loader_options *options)
{
    pthread_mutex_lock(&loader->lock);
    take_settings(&options->served, &loader->options.served);
    loader->options.models_dir = options->models_dir;
    loader->options.latest_versions = options->latest_versions;
    pthread_mutex_unlock(&loader->lock);
    apply_to_all(loader);
}

/* --- the thread --- */

static void run(struct srv_loader *loader, const struct command *command)
{
    const struct srv_loader_options options = options_of(loader);
    const struct srv_reload reload = {.options = &options,
                                      .registry = loader->registry,
                                      .stopping = &loader->stopping,
                                      .done = command->done,
                                      .ctx = command->ctx};
    switch (command->kind) {
    case RELOAD:
        srv_reload_run(&reload, command->model);
        break;
    case LOAD:
        srv_reload_load(&reload, command->model, command->override);
        break;
    case UNLOAD:
        srv_reload_unload(&reload, command->model);
        break;
    }
    apply_to_all(loader); /* settings may have changed meanwhile */
}

static void end_first_load(struct srv_loader *loader)
{
    srv_registry_end_first_load(loader->registry);
    pthread_mutex_lock(&loader->lock);
    loader->first_load_over = true;
    pthread_cond_broadcast(&loader->first_load);
    pthread_mutex_unlock(&loader->lock);
}

/* Retires everything and frees it as the last requests let go of it. */
static void unload_all(struct srv_registry *registry)
{
    while (srv_registry_count(registry) > 0)
        srv_registry_remove(registry, srv_registry_count(registry) - 1);
    for (;;) {
        srv_reload_free_unused(registry);
        if (!srv_registry_has_served(registry)) return;
        srv_registry_wait(registry);
    }
}

/*
 * What this thread's heap holds free goes back to the system; large blocks have gone by themselves.
 * malloc_trim spares the heap's end, which loading has written to: pieces that are too small for
 * pages of their own come from there, or from gaps, which does no harm.
 */
static void give_heap_back(void)
{
    enum { N_PIECES = 8, PIECE_BYTES = 120 << 10 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *pieces[N_PIECES];
    malloc_trim(0);
    for (int i = 0; i < N_PIECES; i++) {
        char *piece = pieces[i] = malloc(PIECE_BYTES);
        size_t before = (page - (uintptr_t)piece % page) % page;
        if (piece) madvise(piece + before, (PIECE_BYTES - before) / page * page, MADV_DONTNEED);
    }
    for (int i = 0; i < N_PIECES; i++)
        free(pieces[i]);
}

static void *loader_main(void *arg)
{
    struct srv_loader *loader = arg;
    const struct command everything = {0};
    run(loader, &everything);
    end_first_load(loader);
    for (;;) {
        struct command *command = take_command(loader);
        if (command) {
            run(loader, command); /* while stopping it says SHUTTING_DOWN */
            free_command(command);
            give_heap_back();
        } else if (atomic_load(&loader->stopping)) {
            break;
        } else {
            srv_registry_wait(loader->registry);
        }
        if (srv_reload_free_unused(loader->registry)) give_heap_back();
    }
    unload_all(loader->registry);
    return NULL;
}

/* --- start and stop --- */

static void destroy(struct srv_loader *loader)
{
    srv_watcher_stop(loader->watcher);
    pthread_cond_destroy(&loader->first_load);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

enum eng_status srv_loader_check(const char *models_dir, struct eng_error *err)
{
    struct srv_repository repository;
    enum eng_status status = srv_repository_scan(models_dir, NULL, &repository, err);
    if (status == ENG_OK) srv_repository_fini(&repository);
    return status;
}

static enum eng_status start_threads(struct srv_loader *loader, struct eng_error *err)
{
    enum eng_status status = srv_watcher_start(loader->registry, &loader->watcher, err);
    if (status != ENG_OK) return status;
    loader->options.served.queued = srv_watcher_queued;
    loader->options.served.queued_ctx = loader->watcher;
    int code = pthread_create(&loader->thread, NULL, loader_main, loader);
    return code == 0 ? ENG_OK
                     : srv_fail(err, ENG_IO, "cannot start the loader thread: %s", strerror(code));
}

enum eng_status srv_loader_start(const struct srv_loader_options *options,
                                 struct srv_registry *registry, struct srv_loader **out,
                                 struct eng_error *err)
{
    /* A models folder that cannot be read should stop the daemon, not leave it empty. */
    enum eng_status status = srv_loader_check(options->models_dir, err);
    if (status != ENG_OK) return status;
    struct srv_loader *loader = calloc(1, sizeof *loader);
    if (!loader) return srv_fail_memory(err, "the loader");
    loader->options = *options;
    loader->registry = registry;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->first_load, NULL);
    status = start_threads(loader, err);
    if (status != ENG_OK) {
        destroy(loader);
        return status;
    }
    *out = loader;
    return ENG_OK;
}

void srv_loader_wait_first(struct srv_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    while (!loader->first_load_over)
        pthread_cond_wait(&loader->first_load, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
}

void srv_loader_stop(struct srv_loader *loader)
{
    if (!loader) return;
    pthread_mutex_lock(&loader->lock);
    atomic_store(&loader->stopping, true);
    pthread_mutex_unlock(&loader->lock);
    srv_registry_wake(loader->registry);
    pthread_join(loader->thread, NULL);
    destroy(loader);
}
