/* Labels: what they point to, who may move them, what a reload does to them. */
#include "serve/publish.h"

#include "temp_folder.h"
#include "tiny_model.h"

static const struct tiny_model tiny = {.bias = {0, 1, 2}};

struct fixture {
    struct temp_folder folder;
    struct srv_registry *registry;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(srv_registry_create("", &f->registry, NULL), ENG_OK);
    *state = f;
    return 0;
}

static void free_unused(struct fixture *f)
{
    for (struct srv_served *served; (served = srv_registry_take_unused(f->registry));)
        srv_served_destroy(served);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    while (srv_registry_count(f->registry) > 0)
        srv_registry_remove(f->registry, 0);
    free_unused(f);
    srv_registry_destroy(f->registry);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static void publish(struct fixture *f, const char *model, const char *version)
{
    const struct srv_served_options options = {.max_queue = 1, .max_batch = 1};
    struct srv_served *served;
    assert_int_equal(srv_served_load(model, version, f->folder.path, &options, &served, NULL),
                     ENG_OK);
    assert_int_equal(srv_registry_announce(f->registry, model, version, NULL), ENG_OK);
    srv_registry_publish_take(f->registry, served);
}

/* The version that a label leads to, "" for none. */
static const char *version_of(struct fixture *f, const char *model, const char *label)
{
    struct srv_served *served, *same;
    if (srv_registry_acquire_label(f->registry, model, label, &served, NULL) != SRV_OK) return "";
    assert_int_equal(srv_registry_acquire(f->registry, model, label, &same, NULL), SRV_OK);
    assert_ptr_equal(served, same); /* where a version is wanted, a label does as well */
    const char *found = srv_served_version(served);
    srv_registry_release(f->registry, served);
    srv_registry_release(f->registry, same);
    return found;
}

static void move(struct fixture *f, const char *label, const char *version)
{
    struct eng_error err = {0};
    if (srv_registry_move_label(f->registry, "m", label, version, &err) != SRV_OK)
        fail_msg("%s", err.text);
}

static void expect(enum srv_code code, enum srv_code wanted, const struct eng_error *err,
                   const char *sentence)
{
    assert_int_equal(code, wanted);
    assert_string_equal(err->text, sentence);
}

static void take(struct fixture *f, const char *json)
{
    struct srv_model_config config;
    assert_int_equal(srv_model_config_parse(json, strlen(json), "config.json", &config, NULL),
                     ENG_OK);
    assert_int_equal(srv_registry_take_labels(f->registry, "m", &config, NULL), ENG_OK);
}

static void moves_among_what_serves(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0}, unknown = {0}, bad = {0}, number = {0};
    publish(f, "a", "1");
    publish(f, "m", "1");
    publish(f, "m", "2");
    move(f, "stable", "1");
    move(f, "canary", "2");
    assert_string_equal(version_of(f, "m", "stable"), "1");
    assert_string_equal(version_of(f, "m", "canary"), "2");
    assert_string_equal(version_of(f, "a", "stable"), "");
    move(f, "stable", "2");
    assert_string_equal(version_of(f, "m", "stable"), "2");
    expect(srv_registry_move_label(f->registry, "m", "stable", "3", &err), SRV_CONFLICT, &err,
           "label 'stable' of model 'm' cannot point to version '3', which does not serve; the "
           "highest that does is 2");
    assert_int_equal(srv_registry_announce(f->registry, "m", "3", NULL),
                     ENG_OK); /* but not loaded */
    assert_int_equal(srv_registry_move_label(f->registry, "m", "stable", "3", NULL), SRV_CONFLICT);
    assert_string_equal(version_of(f, "m", "stable"), "2");
    expect(srv_registry_move_label(f->registry, "x", "stable", "1", &unknown), SRV_MODEL_NOT_FOUND,
           &unknown, "there is no model 'x'");
    expect(srv_registry_move_label(f->registry, "m", "a/b", "1", &bad), SRV_INVALID_REQUEST, &bad,
           "the label is 'a/b'; wanted 1 to 63 of A-Z a-z 0-9 _ . -, and not a number");
    expect(srv_registry_move_label(f->registry, "m", "7", "1", &number), SRV_INVALID_REQUEST,
           &number, "the label is '7'; wanted 1 to 63 of A-Z a-z 0-9 _ . -, and not a number");
    assert_int_equal(srv_registry_move_label(f->registry, "m", "new", "stable", NULL),
                     SRV_CONFLICT);
}

static void refuses_what_leads_nowhere(void **state)
{
    struct fixture *f = *state;
    struct srv_served *served;
    struct eng_error err = {0}, gone = {0}, loading = {0};
    publish(f, "m", "1");
    publish(f, "m", "2");
    move(f, "stable", "1");
    expect(srv_registry_acquire_label(f->registry, "m", "canary", &served, &err),
           SRV_MODEL_NOT_FOUND, &err, "model 'm' has no label 'canary'; it has: stable");
    srv_registry_remove(f->registry, 0);
    expect(srv_registry_acquire_label(f->registry, "m", "stable", &served, &gone),
           SRV_MODEL_NOT_FOUND, &gone,
           "label 'stable' of model 'm' points to version 1, which there is not");
    assert_int_equal(srv_registry_announce(f->registry, "m", "1", NULL), ENG_OK);
    expect(srv_registry_acquire_label(f->registry, "m", "stable", &served, &loading), SRV_NOT_READY,
           &loading, "version 1 of model 'm' is still being loaded");
}

static void is_removed(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    publish(f, "m", "1");
    move(f, "stable", "1");
    assert_int_equal(srv_registry_remove_label(f->registry, "m", "stable", NULL), SRV_OK);
    assert_string_equal(version_of(f, "m", "stable"), "");
    expect(srv_registry_remove_label(f->registry, "m", "stable", &err), SRV_MODEL_NOT_FOUND, &err,
           "model 'm' has no label 'stable'; it has: none");
    move(f, "stable", "1");
    srv_registry_remove(f->registry, 0); /* the model is gone, and its labels with it */
    publish(f, "m", "1");
    assert_string_equal(version_of(f, "m", "stable"), "");
}

static void the_later_saying_holds(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 3; i++)
        publish(f, "m", (char[]){(char)('0' + i), 0});
    take(f, "{\"version_labels\": {\"stable\": 1, \"old\": \"1\"}}");
    assert_string_equal(version_of(f, "m", "stable"), "1");
    move(f, "stable", "2");
    move(f, "own", "3");
    assert_int_equal(srv_registry_remove_label(f->registry, "m", "old", NULL), SRV_OK);
    take(f, "{\"version_labels\": {\"stable\": 1, \"old\": \"1\"}}"); /* as before: nothing new */
    assert_string_equal(version_of(f, "m", "stable"), "2");
    assert_string_equal(version_of(f, "m", "own"), "3");
    assert_string_equal(version_of(f, "m", "old"), "");
    take(f, "{\"version_labels\": {\"stable\": 3, \"old\": 2}}");
    assert_string_equal(version_of(f, "m", "stable"), "3");
    assert_string_equal(version_of(f, "m", "old"), "2");
    take(f, "{}");
    assert_string_equal(version_of(f, "m", "stable"), "");
    assert_string_equal(version_of(f, "m", "own"), "3");
}

static void are_listed_and_bounded(void **state)
{
    struct fixture *f = *state;
    publish(f, "m", "1");
    publish(f, "b", "1");
    assert_int_equal(srv_registry_move_label(f->registry, "b", "z", "1", NULL), SRV_OK);
    for (int i = SRV_MAX_VERSION_LABELS; i > 0; i--) {
        char label[16];
        snprintf(label, sizeof label, "l%02d", i);
        move(f, label, "1");
    }
    assert_int_equal(srv_registry_move_label(f->registry, "m", "one-more", "1", NULL),
                     SRV_CONFLICT);
    struct srv_snapshot snapshot;
    assert_int_equal(srv_registry_snapshot(f->registry, &snapshot, NULL), ENG_OK);
    assert_int_equal(snapshot.n_labels, SRV_MAX_VERSION_LABELS + 1);
    assert_string_equal(snapshot.labels[0].model, "b");
    for (int i = 1; i <= SRV_MAX_VERSION_LABELS; i++) {
        assert_int_equal(atoi(snapshot.labels[i].label + 1), i);
        assert_int_equal(snapshot.labels[i].version, 1);
    }
    srv_snapshot_fini(&snapshot);
    uint64_t versions[SRV_MAX_VERSION_LABELS];
    assert_int_equal(srv_registry_labelled(f->registry, "m", versions), SRV_MAX_VERSION_LABELS);
}

static void the_default_model_moves(void **state)
{
    struct fixture *f = *state;
    struct srv_served *served;
    char name[SRV_MODEL_CHARS + 1];
    publish(f, "a", "1");
    publish(f, "b", "1");
    srv_registry_end_first_load(f->registry);
    assert_int_equal(srv_registry_acquire(f->registry, NULL, NULL, &served, NULL),
                     SRV_MODEL_NOT_FOUND);
    assert_int_equal(srv_registry_set_default(f->registry, "b", NULL), SRV_OK);
    assert_int_equal(srv_registry_acquire(f->registry, NULL, NULL, &served, NULL), SRV_OK);
    assert_string_equal(srv_served_name(served), "b");
    srv_registry_release(f->registry, served);
    assert_int_equal(srv_registry_set_default(f->registry, "x", NULL), SRV_MODEL_NOT_FOUND);
    srv_registry_default(f->registry, name, sizeof name);
    assert_string_equal(name, "b");
    assert_int_equal(srv_registry_set_default(f->registry, "", NULL), SRV_OK);
    srv_registry_default(f->registry, name, sizeof name);
    assert_string_equal(name, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(moves_among_what_serves),
        TEST(refuses_what_leads_nowhere),
        TEST(is_removed),
        TEST(the_later_saying_holds),
        TEST(are_listed_and_bounded),
        TEST(the_default_model_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
