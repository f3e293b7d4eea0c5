/* /metrics and /readyz while a version that was replaced still finishes a request. */
#include "api/app.h"
#include "api/handlers.h"
#include "serve/publish.h"

#include "tiny_model.h"
#include "temp_folder.h"

struct fixture {
    struct temp_folder folder;
    struct srv_config config;
    struct srv_app app;
    struct srv_memory memory;
    struct srv_served *held; /* by a request; no longer published */
};

static void publish(struct fixture *f)
{
    const struct srv_served_options options = {.max_queue = 1, .max_batch = 1};
    struct srv_served *served;
    assert_int_equal(srv_served_load("tiny", "1", f->folder.path, &options, &served, NULL), ENG_OK);
    srv_registry_publish_take(f->app.registry, served);
}

static int set_up(void **state)
{
    const struct tiny_model tiny = {0};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(srv_config_init(&f->config, NULL), ENG_OK);
    f->app.config = &f->config;
    f->app.metrics = srv_metrics_create(NULL);
    f->app.log = srv_log_create(2, SRV_LOG_ERROR, false);
    assert_true(f->app.metrics && f->app.log);
    assert_int_equal(srv_memory_init(&f->memory, &f->config, 1, NULL), ENG_OK);
    f->app.memory = &f->memory;
    assert_int_equal(srv_registry_create("", &f->app.registry, NULL), ENG_OK);
    assert_int_equal(srv_registry_announce(f->app.registry, "tiny", "1", NULL), ENG_OK);
    publish(f);
    assert_int_equal(srv_registry_acquire(f->app.registry, "tiny", "1", &f->held, NULL), SRV_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    while (srv_registry_count(f->app.registry) > 0)
        srv_registry_remove(f->app.registry, 0);
    srv_registry_release(f->app.registry, f->held);
    for (struct srv_served *served; (served = srv_registry_take_unused(f->app.registry));)
        srv_served_destroy(served);
    srv_registry_destroy(f->app.registry);
    srv_config_fini(&f->config);
    srv_metrics_destroy(f->app.metrics);
    srv_log_destroy(f->app.log);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static void every_series_has_one_sample(void **state)
{
    struct fixture *f = *state;
    publish(f); /* the same file again: same labels */
    struct srv_request request = {.app = &f->app};
    assert_int_equal(h_metrics(&request), SRV_DONE);
    const char *text = request.reply.body.bytes;
    assert_int_equal(count(text, "\nclassifyd_model_info{model=\"tiny\",version=\"1\","), 1);
    assert_int_equal(count(text, "\nclassifyd_queue_length{"), 1);
    assert_non_null(strstr(text, "\nclassifyd_models_loaded 1\n"));
    srv_text_fini(&request.reply.body);
}

static void aliases_are_there_when_asked_for(void **state)
{
    struct fixture *f = *state;
    static const char pending[] =
        "\nnv_inference_pending_request_count{model=\"tiny\",version=\"1\"} 0\n";
    static const struct {
        const char *setting;
        bool has_triton;
    } rows[] = {{"off", false}, {"triton", true}, {"tf_serving", false}, {"all", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_request request = {.app = &f->app};
        assert_int_equal(
            srv_config_set(&f->config, "metrics_aliases", rows[i].setting, "test", NULL), ENG_OK);
        assert_int_equal(h_metrics(&request), SRV_DONE);
        assert_int_equal(count(request.reply.body.bytes, pending), rows[i].has_triton);
        srv_text_fini(&request.reply.body);
    }
}

static void a_removed_model_is_not_missed(void **state)
{
    struct fixture *f = *state;
    struct srv_request request = {.app = &f->app};
    srv_registry_remove(f->app.registry, 0); /* it drains */
    assert_int_equal(srv_registry_announce(f->app.registry, "other", "1", NULL), ENG_OK);
    srv_registry_fail(f->app.registry, "other", "1", "it is broken");
    srv_registry_end_first_load(f->app.registry);
    assert_int_equal(h_readyz(&request), SRV_DONE);
    assert_int_equal(request.reply.code, SRV_NOT_READY);
    assert_non_null(strstr(request.reply.body.bytes,
                           "; other has no version that serves: it could not be loaded\""));
    assert_null(strstr(request.reply.body.bytes, "tiny"));
    srv_text_fini(&request.reply.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_series_has_one_sample, set_up, tear_down),
        cmocka_unit_test_setup_teardown(aliases_are_there_when_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_removed_model_is_not_missed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
