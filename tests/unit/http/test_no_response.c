/* Replies for which libmicrohttpd has no memory left: the connection ends, the daemon goes on. */
#include "http/http.h"

#include "temp_folder.h"
#include "tiny_model.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int n_to_fail;

/* In place of libmicrohttpd's own. */
struct MHD_Response *MHD_create_response_from_buffer(size_t n_bytes, void *bytes,
                                                     enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *(*own)(size_t, void *, enum MHD_ResponseMemoryMode);
    void *found = dlsym(RTLD_NEXT, "MHD_create_response_from_buffer");
    memcpy(&own, &found, sizeof own);
    if (atomic_load(&n_to_fail) == 0) return own(n_bytes, bytes, mode);
    atomic_fetch_sub(&n_to_fail, 1);
    return NULL;
}

struct fixture {
    struct temp_folder folder;
    struct eng_pool *pool;
    struct srv_config config;
    struct srv_app app;
    struct srv_http *http;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&(struct tiny_model){.weight = 1}, temp_folder_file(&f->folder, "tiny/1"));
    assert_int_equal(srv_config_init(&f->config, NULL), ENG_OK);
    assert_int_equal(eng_pool_create(1, &f->pool, NULL), ENG_OK);
    f->app.config = &f->config;
    f->app.metrics = srv_metrics_create(NULL);
    assert_non_null(f->app.metrics);
    assert_int_equal(srv_registry_create("", &f->app.registry, NULL), ENG_OK);
    assert_int_equal(
        srv_explainer_create(f->pool, f->app.metrics, 1, INT64_MAX / 4, &f->app.explainer, NULL),
        ENG_OK);
    const struct srv_loader_options options = {.models_dir = f->folder.path,
                                               .served = {.pool = f->pool,
                                                          .metrics = f->app.metrics,
                                                          .max_queue = 8,
                                                          .limits = eng_image_limits_default()}};
    assert_int_equal(srv_loader_start(&options, f->app.registry, &f->app.loader, NULL), ENG_OK);
    srv_loader_wait_first(f->app.loader);
    assert_int_equal(srv_http_start(&f->app, SRV_PUBLIC, "127.0.0.1:0", NULL, 1, &f->http, NULL),
                     ENG_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_true(srv_http_drain(f->http, 10000));
    srv_http_stop(f->http);
    srv_loader_stop(f->app.loader);
    eng_pool_destroy(f->pool);
    srv_explainer_destroy(f->app.explainer);
    srv_registry_destroy(f->app.registry);
    srv_metrics_destroy(f->app.metrics);
    srv_config_fini(&f->config);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

/* The status of the answer; 0: the connection ended without one. */
static int ask(const struct fixture *f, const char *path)
{
    static const char body[] = "{\"pixels\":[0,128,255]}";
    char text[512] = "";
    unsigned port = 0;
    int status = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sscanf(srv_http_url(f->http), "http://127.0.0.1:%u", &port), 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    int n = snprintf(text, sizeof text,
                     "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", path,
                     sizeof body - 1, body);
    assert_int_equal(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
    ssize_t got = recv(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    sscanf(text, "HTTP/1.1 %d", &status);
    close(fd);
    return status;
}

/* On the connection's own thread, and after a worker was waited for. */
static void no_memory_for_the_reply(void **state)
{
    const struct fixture *f = *state;
    static const char *const paths[] = {"/nowhere", "/classify/tiny",
                                        "/explain/tiny?method=occlusion&format=json"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int usual = ask(f, paths[i]);
        assert_int_equal(usual, i == 0 ? 404 : 200);
        for (int turn = 0; turn < 20; turn++) {
            atomic_store(&n_to_fail, 1);
            assert_int_equal(ask(f, paths[i]), 0);
            assert_int_equal(ask(f, paths[i]), usual);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_memory_for_the_reply, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
