/* Every allocation of loading, listing and answering fails once: an error, no leak, no half state.
 */
#include "serve/publish.h"
#include "serve/reload.h"
#include "serve/repository.h"

#include "failing_malloc.h"
#include "temp_folder.h"
#include "tiny_model.h"

static const struct tiny_model tiny = {.weight = 1};

struct fixture {
    struct temp_folder folder;
    struct srv_registry *registry;
    uint8_t *bytes; /* a model file's */
    size_t n_bytes;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, temp_folder_file(&f->folder, "a/1"));
    tiny_model_write(&tiny, temp_folder_file(&f->folder, "a/2"));
    tiny_model_write(&tiny, temp_folder_file(&f->folder, "b/1"));
    tiny_model_bytes(&tiny, &f->bytes, &f->n_bytes);
    assert_int_equal(srv_registry_create(NULL, &f->registry, NULL), ENG_OK);
    *state = f;
    return 0;
}

static void unload(struct fixture *f)
{
    while (srv_registry_count(f->registry) > 0)
        srv_registry_remove(f->registry, 0);
    srv_reload_free_unused(f->registry);
    assert_false(srv_registry_has_served(f->registry));
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unload(f);
    srv_registry_destroy(f->registry);
    temp_folder_remove(&f->folder);
    free(f->bytes);
    free(f);
    return 0;
}

static struct srv_loader_options options_of(struct fixture *f)
{
    return (struct srv_loader_options){.models_dir = f->folder.path,
                                       .served = {.max_queue = 8,
                                                  .max_batch = 4,
                                                  .inline_below_us = INT64_MAX / 16,
                                                  .limits = eng_image_limits_default()}};
}

static enum eng_status create_registry(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct srv_registry *registry = NULL;
    enum eng_status status = srv_registry_create("a", &registry, err);
    srv_registry_destroy(registry);
    return status;
}

static enum eng_status scan(void *ctx, struct eng_error *err)
{
    struct fixture *f = ctx;
    struct srv_repository found = {0};
    enum eng_status status = srv_repository_scan(f->folder.path, NULL, &found, err);
    assert_int_equal(found.n_folders, status == ENG_OK ? 3 : 0);
    srv_repository_fini(&found);
    return status;
}

static enum eng_status load(void *ctx, struct eng_error *err)
{
    struct fixture *f = ctx;
    const struct srv_loader_options options = options_of(f);
    struct srv_served *served = NULL;
    char folder[512];
    snprintf(folder, sizeof folder, "%s", temp_folder_file(&f->folder, "a/1"));
    enum eng_status status = srv_served_load("a", "1", folder, &options.served, &served, err);
    assert_true((status == ENG_OK) == (served != NULL));
    srv_served_destroy(served);
    return status;
}

/* What a reload reports, as a status. */
struct verdict {
    enum srv_code code;
    struct eng_error error;
    size_t n_loaded;
};

static void note(void *ctx, enum srv_code code, const struct srv_reload_row *rows, size_t n_rows,
                 const struct eng_error *error)
{
    struct verdict *verdict = ctx;
    verdict->code = code;
    verdict->error = *error;
    for (size_t i = 0; i < n_rows; i++)
        verdict->n_loaded += rows[i].loaded;
}

static enum eng_status load_all(struct fixture *f, struct eng_error *err)
{
    const struct srv_loader_options options = options_of(f);
    const atomic_bool stopping = false;
    struct verdict verdict = {0};
    const struct srv_reload reload = {&options, f->registry, &stopping, note, &verdict};
    srv_reload_run(&reload, NULL);
    *err = verdict.error;
    if (verdict.code != SRV_OK) return verdict.error.status;
    assert_int_equal(verdict.n_loaded, 3);
    return ENG_OK;
}

static enum eng_status reload(void *ctx, struct eng_error *err)
{
    enum eng_status status = load_all(ctx, err);
    unload(ctx);
    return status;
}

/* A reload over what serves: whatever fails, every version still answers. */
static enum eng_status reload_again(void *ctx, struct eng_error *err)
{
    struct fixture *f = ctx;
    enum eng_status status = load_all(f, err);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(srv_registry_served_at(f->registry, i));
    return status;
}

/* A load that a call asks for, over what serves: the file that is sent as version 9, or nothing. */
static enum eng_status load_file(void *ctx, struct eng_error *err)
{
    struct fixture *f = ctx;
    const struct srv_loader_options options = options_of(f);
    const atomic_bool stopping = false;
    struct verdict verdict = {0};
    const struct srv_reload reload = {&options, f->registry, &stopping, note, &verdict};
    struct srv_upload file = {.version = "9", .bytes = f->bytes, .n_bytes = f->n_bytes};
    struct srv_override override = {
        .config = "{\"version_labels\": {\"new\": 9}}", .files = &file, .n_files = 1};
    srv_reload_load(&reload, "b", &override);
    *err = verdict.error;
    bool has_new = srv_registry_count(f->registry) == 3 &&
                   strcmp(srv_registry_version_at(f->registry, 2), "9") == 0;
    assert_non_null(srv_registry_served_at(f->registry, 2));
    if (verdict.code == SRV_OK) assert_true(has_new);
    return verdict.code == SRV_OK ? ENG_OK : verdict.error.status;
}

static enum eng_status snapshot(void *ctx, struct eng_error *err)
{
    struct fixture *f = ctx;
    struct srv_snapshot snapshot = {0};
    enum eng_status status = srv_registry_snapshot(f->registry, &snapshot, err);
    assert_int_equal(snapshot.n_versions, status == ENG_OK ? 3 : 0);
    srv_snapshot_fini(&snapshot);
    return status;
}

static void sweeps_what_allocates(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(failing_malloc_sweep(create_registry, NULL), 2);
    assert_true(failing_malloc_sweep(scan, f) > 0);
    assert_true(failing_malloc_sweep(load, f) > 20);
    assert_true(failing_malloc_sweep(reload, f) > 60);
    struct eng_error err = {0};
    assert_int_equal(load_all(f, &err), ENG_OK);
    assert_true(failing_malloc_sweep(reload_again, f) > 60);
    assert_true(failing_malloc_sweep(snapshot, f) > 10);
    assert_true(failing_malloc_sweep(load_file, f) > 20);
}

/* From submit to answer nothing of ours allocates but the decoder its pixels. */
static enum eng_status answer(void *ctx, struct eng_error *err)
{
    struct tiny_job *own = ctx;
    own->job.code = SRV_OK;
    own->job.error = (struct eng_error){0};
    assert_true(srv_served_try_inline(&own->job));
    assert_true((own->job.code == SRV_OK) == (own->job.error.status == ENG_OK));
    *err = own->job.error;
    return own->job.error.status;
}

static void answers_without_allocating(void **state)
{
    struct fixture *f = *state;
    const struct srv_loader_options options = options_of(f);
    struct srv_served *served = NULL;
    struct tiny_job own;
    assert_int_equal(srv_served_load("a", "1", temp_folder_file(&f->folder, "a/1"), &options.served,
                                     &served, NULL),
                     ENG_OK);
    tiny_job_init(&own, served, 1, 1);
    assert_int_equal(failing_malloc_sweep(answer, &own), 0);
    tiny_job_fini(&own);
    srv_served_destroy(served);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sweeps_what_allocates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_without_allocating, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
