/* The table of versions, without a loader: this thread plays it. */
#include "serve/publish.h"

#include "temp_folder.h"
#include "tiny_model.h"

static const struct tiny_model tiny = {.bias = {0, 1, 2}};

struct fixture {
    struct temp_folder folder;
    struct srv_registry *registry;
};

static int set_up_with(void **state, const char *default_model)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(srv_registry_create(default_model, &f->registry, NULL), ENG_OK);
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, "");
}

static int set_up_default(void **state)
{
    return set_up_with(state, "b");
}

static size_t free_unused(struct fixture *f)
{
    size_t n = 0;
    for (struct srv_served *served; (served = srv_registry_take_unused(f->registry)); n++)
        srv_served_destroy(served);
    return n;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    while (srv_registry_count(f->registry) > 0)
        srv_registry_remove(f->registry, 0);
    free_unused(f);
    assert_false(srv_registry_has_served(f->registry));
    srv_registry_destroy(f->registry);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static void announce(struct fixture *f, const char *model, const char *version)
{
    assert_int_equal(srv_registry_announce(f->registry, model, version, NULL), ENG_OK);
}

static struct srv_served *publish(struct fixture *f, const char *model, const char *version)
{
    const struct srv_served_options options = {.max_queue = 1, .max_batch = 1};
    struct srv_served *served;
    struct eng_error err = {0};
    if (srv_served_load(model, version, f->folder.path, &options, &served, &err) != ENG_OK)
        fail_msg("%s", err.text);
    announce(f, model, version);
    srv_registry_publish_take(f->registry, served);
    return served;
}

/* The version that a request gets, "" for none. */
static const char *version_of(struct fixture *f, const char *model, const char *version)
{
    struct srv_served *served;
    if (srv_registry_acquire(f->registry, model, version, &served, NULL) != SRV_OK) return "";
    const char *found = srv_served_version(served);
    srv_registry_release(f->registry, served); /* published: it stays */
    return found;
}

static void expect_refusal(struct fixture *f, const char *model, const char *version,
                           enum srv_code code, const char *sentence)
{
    struct srv_served *served = NULL;
    struct eng_error err = {0};
    assert_int_equal(srv_registry_acquire(f->registry, model, version, &served, &err), code);
    assert_string_equal(err.text, sentence);
    assert_null(served);
}

static void default_is_the_highest_number(void **state)
{
    struct fixture *f = *state;
    publish(f, "m", "9");
    publish(f, "m", "10");
    publish(f, "m", "2");
    announce(f, "m", "11"); /* not loaded yet */
    assert_string_equal(version_of(f, "m", NULL), "10");
    assert_string_equal(version_of(f, "m", ""), "10");
    assert_string_equal(version_of(f, "", ""), "10"); /* the only model */
    assert_string_equal(version_of(f, NULL, "9"), "9");
    assert_string_equal(srv_registry_version_at(f->registry, 0), "2");
    assert_string_equal(srv_registry_version_at(f->registry, 3), "11");
}

static void refuses_with_what_there_is(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, "b", NULL, SRV_NOT_READY, "the models are still being loaded");
    srv_registry_end_first_load(f->registry);
    expect_refusal(f, NULL, NULL, SRV_MODEL_NOT_FOUND,
                   "the request names no model and there is no default; there is: none");
    publish(f, "b", "1");
    publish(f, "b", "3");
    publish(f, "a", "1");
    expect_refusal(f, NULL, NULL, SRV_MODEL_NOT_FOUND,
                   "the request names no model and there is no default; there is: a, b");
    expect_refusal(f, "../b", NULL, SRV_MODEL_NOT_FOUND,
                   "there is no model '../b'; there is: a, b");
    expect_refusal(f, "b", "2", SRV_MODEL_NOT_FOUND,
                   "model 'b' has no version '2'; the highest is 3");
    expect_refusal(f, "b", "01", SRV_MODEL_NOT_FOUND,
                   "model 'b' has no version '01'; the highest is 3");
    announce(f, "c", "1");
    expect_refusal(f, "c", NULL, SRV_NOT_READY, "version 1 of model 'c' is still being loaded");
    srv_registry_fail(f->registry, "c", "1", "model.onnx: the file is empty");
    expect_refusal(
        f, "c", "1", SRV_NOT_READY,
        "version 1 of model 'c' could not be loaded; the admin listener's /models says why");
}

static void takes_the_default_model(void **state)
{
    struct fixture *f = *state;
    srv_registry_end_first_load(f->registry);
    publish(f, "a", "1");
    expect_refusal(f, NULL, NULL, SRV_MODEL_NOT_FOUND, "there is no model 'b'; there is: a");
    publish(f, "b", "5");
    assert_string_equal(version_of(f, NULL, NULL), "5");
}

static void is_ready_when_every_model_serves(void **state)
{
    struct fixture *f = *state;
    publish(f, "a", "1");
    assert_false(srv_registry_ready(f->registry)); /* the first load goes on */
    srv_registry_end_first_load(f->registry);
    assert_true(srv_registry_ready(f->registry));
    announce(f, "a", "2");
    srv_registry_fail(f->registry, "a", "2", "broken");
    assert_true(srv_registry_ready(f->registry)); /* version 1 serves */
    announce(f, "b", "1");
    assert_true(srv_registry_ready(f->registry)); /* what comes later takes nobody's readiness */
}

static void is_not_ready_while_one_of_the_first_is_missing(void **state)
{
    struct fixture *f = *state;
    publish(f, "a", "1");
    announce(f, "b", "1");
    srv_registry_fail(f->registry, "b", "1", "broken");
    srv_registry_end_first_load(f->registry);
    assert_false(srv_registry_ready(f->registry));
    srv_registry_unload(f->registry, 1); /* nobody wants it */
    assert_true(srv_registry_ready(f->registry));
    announce(f, "b", "1");
    assert_false(srv_registry_ready(f->registry));
    publish(f, "b", "1");
    assert_true(srv_registry_ready(f->registry));
}

static void unloads_until_it_is_announced(void **state)
{
    struct fixture *f = *state;
    struct srv_served *held;
    srv_registry_end_first_load(f->registry);
    publish(f, "m", "1");
    assert_false(srv_registry_is_held(f->registry, "m"));
    assert_int_equal(srv_registry_acquire(f->registry, "m", NULL, &held, NULL), SRV_OK);
    srv_registry_unload(f->registry, 0);
    assert_true(srv_registry_is_held(f->registry, "m"));
    expect_refusal(f, "m", NULL, SRV_MODEL_NOT_FOUND, "model 'm' is unloaded");
    expect_refusal(f, "m", "1", SRV_MODEL_NOT_FOUND, "model 'm' is unloaded");
    assert_int_equal(free_unused(f), 0); /* its request goes on */
    srv_registry_release(f->registry, held);
    assert_int_equal(free_unused(f), 1);
    announce(f, "m", "1");
    assert_false(srv_registry_is_held(f->registry, "m"));
    publish(f, "m", "1");
    srv_registry_mark_overridden(f->registry, 0);
    assert_true(srv_registry_is_held(f->registry, "m"));
    publish(f, "m", "1");
    assert_false(srv_registry_is_held(f->registry, "m"));
}

/* A request keeps the version that it started with; the last release rings the loader's bell. */
static void keeps_what_is_in_use(void **state)
{
    struct fixture *f = *state;
    struct srv_served *first = publish(f, "m", "1"), *held, *held_too, *now;
    assert_int_equal(srv_registry_acquire(f->registry, "m", NULL, &held, NULL), SRV_OK);
    assert_int_equal(srv_registry_acquire(f->registry, "m", NULL, &held_too, NULL), SRV_OK);
    assert_ptr_equal(held, first);
    publish(f, "m", "1");
    assert_int_equal(srv_registry_acquire(f->registry, "m", NULL, &now, NULL), SRV_OK);
    assert_ptr_not_equal(now, first);
    assert_int_equal(free_unused(f), 0);
    srv_registry_release(f->registry, held);
    assert_int_equal(free_unused(f), 0);
    srv_registry_release(f->registry, held_too);
    srv_registry_wait(f->registry); /* returns at once: the bell has rung */
    assert_int_equal(free_unused(f), 1);
    srv_registry_release(f->registry, now);
    assert_int_equal(free_unused(f), 0);
}

static void removes_a_version(void **state)
{
    struct fixture *f = *state;
    srv_registry_end_first_load(f->registry);
    publish(f, "m", "1");
    publish(f, "m", "2");
    struct srv_served *held;
    assert_int_equal(srv_registry_acquire(f->registry, "m", "2", &held, NULL), SRV_OK);
    srv_registry_remove(f->registry, 1);
    assert_string_equal(version_of(f, "m", NULL), "1");
    expect_refusal(f, "m", "2", SRV_MODEL_NOT_FOUND,
                   "model 'm' has no version '2'; the highest is 1");
    assert_int_equal(free_unused(f), 0);
    srv_registry_release(f->registry, held);
    assert_int_equal(free_unused(f), 1);
}

static const struct srv_version_info *find(const struct srv_snapshot *snapshot, const char *version,
                                           enum srv_state state)
{
    for (size_t i = 0; i < snapshot->n_versions; i++)
        if (strcmp(snapshot->versions[i].version, version) == 0 &&
            snapshot->versions[i].state == state)
            return &snapshot->versions[i];
    fail_msg("version %s in state %d is not in the snapshot", version, state);
    return NULL;
}

static void snapshot_tells_the_states(void **state)
{
    struct fixture *f = *state;
    struct srv_served *held;
    publish(f, "m", "1");
    publish(f, "m", "2");
    assert_int_equal(srv_registry_acquire(f->registry, "m", "2", &held, NULL), SRV_OK);
    srv_registry_remove(f->registry, 1);
    announce(f, "m", "3");
    announce(f, "m", "4");
    srv_registry_fail(f->registry, "m", "4", "broken file");
    srv_registry_fail(f->registry, "m", "1", "a newer file is broken");
    struct srv_snapshot snapshot;
    assert_int_equal(srv_registry_snapshot(f->registry, &snapshot, NULL), ENG_OK);
    assert_int_equal(snapshot.n_versions, 4);
    const struct srv_version_info *ready = find(&snapshot, "1", SRV_READY);
    assert_true(ready->is_default);
    assert_int_equal(strlen(ready->digest), 64);
    assert_string_equal(ready->reason, "a newer file is broken");
    assert_int_equal(ready->n_classes, TINY_CLASSES);
    assert_int_equal(ready->width_px, 3);
    assert_true(ready->loaded_unix_s > 0);
    assert_string_equal(find(&snapshot, "2", SRV_DRAINING)->model, "m");
    assert_string_equal(find(&snapshot, "3", SRV_LOADING)->digest, "");
    assert_string_equal(find(&snapshot, "4", SRV_FAILED)->reason, "broken file");
    assert_false(find(&snapshot, "4", SRV_FAILED)->is_default);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(atoi(snapshot.versions[i].version), i + 1);
    srv_snapshot_fini(&snapshot);
    srv_registry_release(f->registry, held);
}

/* The watcher's walk sees published and retired versions, and holds only the one it is at. */
static void walks_all_that_exist(void **state)
{
    struct fixture *f = *state;
    publish(f, "m", "1");
    publish(f, "m", "1");
    publish(f, "n", "1");
    size_t n = 0;
    for (struct srv_served *at = NULL; (at = srv_registry_next(f->registry, at));)
        n++;
    assert_int_equal(n, 3);
    assert_int_equal(free_unused(f), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(default_is_the_highest_number),
        TEST(refuses_with_what_there_is),
        cmocka_unit_test_setup_teardown(takes_the_default_model, set_up_default, tear_down),
        TEST(is_ready_when_every_model_serves),
        TEST(is_not_ready_while_one_of_the_first_is_missing),
        TEST(unloads_until_it_is_announced),
        TEST(keeps_what_is_in_use),
        TEST(removes_a_version),
        TEST(snapshot_tells_the_states),
        TEST(walks_all_that_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
