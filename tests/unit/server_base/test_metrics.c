#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void check_says(const struct srv_text *text, const char *part)
{
    if (!strstr(text->bytes, part)) fail_msg("\"%s\" is not in:\n%s", part, text->bytes);
}

static int set_up(void **state)
{
    *state = srv_metrics_create(NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    srv_metrics_destroy(*state);
    return 0;
}

static void counters_and_gauges_are_written(void **state)
{
    const char *const labels[] = {"public", "classify", "200"};
    struct srv_series *series = srv_metrics_series(*state, SRV_M_REQUESTS, labels);
    srv_series_add(series, 2);
    assert_ptr_equal(series, srv_metrics_series(*state, SRV_M_REQUESTS, labels));
    srv_series_add(series, 1);
    const char *const listener[] = {"admin"};
    struct srv_series *gauge = srv_metrics_series(*state, SRV_M_IN_FLIGHT, listener);
    srv_series_set(gauge, 7);
    srv_series_add(gauge, -2);
    struct srv_text text = {0};
    srv_metrics_write(*state, &text);
    check_says(&text,
               "# TYPE classifyd_requests_total counter\n"
               "classifyd_requests_total{listener=\"public\",route=\"classify\",code=\"200\"} 3\n");
    check_says(&text, "classifyd_requests_in_flight{listener=\"admin\"} 5\n");
    check_says(&text, "\nprocess_resident_memory_bytes ");
    check_says(&text, "\nprocess_open_fds ");
    assert_null(strstr(text.bytes, "classifyd_batch_size")); /* no series yet */
    srv_text_fini(&text);
}

static void buckets_add_up(void **state)
{
    const char *const labels[] = {"mnist", "3"};
    struct srv_series *series = srv_metrics_series(*state, SRV_M_BATCH_SIZE, labels);
    static const double sizes[] = {1, 1, 2, 3, 5000};
    for (size_t i = 0; i < 5; i++)
        srv_series_observe(series, sizes[i]);
    struct srv_text text = {0};
    srv_metrics_write(*state, &text);
    check_says(&text, "classifyd_batch_size_bucket{model=\"mnist\",version=\"3\",le=\"1\"} 2\n"
                      "classifyd_batch_size_bucket{model=\"mnist\",version=\"3\",le=\"2\"} 3\n"
                      "classifyd_batch_size_bucket{model=\"mnist\",version=\"3\",le=\"4\"} 4\n");
    check_says(&text, "classifyd_batch_size_bucket{model=\"mnist\",version=\"3\",le=\"1024\"} 4\n"
                      "classifyd_batch_size_bucket{model=\"mnist\",version=\"3\",le=\"+Inf\"} 5\n"
                      "classifyd_batch_size_sum{model=\"mnist\",version=\"3\"} 5007\n"
                      "classifyd_batch_size_count{model=\"mnist\",version=\"3\"} 5\n");
    srv_text_fini(&text);
}

static void label_values_are_escaped(void **state)
{
    const char *const labels[] = {"a\"b\\c\nd"};
    srv_series_add(srv_metrics_series(*state, SRV_M_IN_FLIGHT, labels), 1);
    struct srv_text text = {0};
    srv_metrics_write(*state, &text);
    check_says(&text, "{listener=\"a\\\"b\\\\c\\nd\"} 1\n");
    srv_text_fini(&text);
}

static void series_are_bounded(void **state)
{
    struct srv_series *last = NULL;
    char name[16];
    const char *const labels[] = {name, "1"};
    for (int i = 0; i < SRV_MAX_SERIES; i++) {
        snprintf(name, sizeof name, "m%d", i);
        last = srv_metrics_series(*state, SRV_M_BATCH_SIZE, labels);
        assert_non_null(last);
    }
    strcpy(name, "one more");
    assert_null(srv_metrics_series(*state, SRV_M_BATCH_SIZE, labels));
    srv_series_observe(NULL, 1);
    srv_series_add(NULL, 1);
    srv_series_set(NULL, 1);
    snprintf(name, sizeof name, "m%d", SRV_MAX_SERIES - 1);
    assert_ptr_equal(srv_metrics_series(*state, SRV_M_BATCH_SIZE, labels), last);
}

/* What has no room is counted, and said once for each metric. */
static void what_is_lost_is_said(void **state)
{
    (void)state;
    int ends[2];
    char name[16], said[1024];
    const char *const labels[] = {name, "1", ""};
    struct srv_text text = {0};
    assert_int_equal(pipe(ends), 0);
    struct srv_log *log = srv_log_create(ends[1], SRV_LOG_INFO, false);
    struct srv_metrics *metrics = srv_metrics_create(log);
    assert_true(log && metrics);
    srv_metrics_write(metrics, &text);
    check_says(&text, "\nclassifyd_metric_series_refused_total 0\n");
    for (int i = 0; i < SRV_MAX_SERIES + 3; i++) {
        snprintf(name, sizeof name, "m%d", i);
        assert_true((srv_metrics_series(metrics, SRV_M_QUEUE_LENGTH, labels) != NULL) ==
                    (i < SRV_MAX_SERIES));
        srv_metrics_series(metrics, SRV_M_MODEL_INFO, labels);
    }
    srv_text_clear(&text);
    srv_metrics_write(metrics, &text);
    check_says(&text, "\nclassifyd_metric_series_refused_total 6\n");
    srv_text_fini(&text);
    srv_metrics_destroy(metrics);
    srv_log_destroy(log);
    close(ends[1]);
    ssize_t n = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    assert_true(n > 0);
    said[n] = '\0';
    const char *first = strstr(said, "metric=classifyd_queue_length series=1024\n");
    assert_non_null(first);
    const char *second = strstr(first, "metric=classifyd_model_info series=1024\n");
    assert_non_null(second);
    assert_null(strstr(second + 1, "metric="));
}

static void values_without_series(void **state)
{
    (void)state;
    struct srv_text text = {0};
    srv_metrics_write_head(SRV_M_MODELS_LOADED, &text);
    srv_metrics_write_value(SRV_M_MODELS_LOADED, NULL, 2, &text);
    check_says(&text, "# HELP classifyd_models_loaded Versions that serve now\n"
                      "# TYPE classifyd_models_loaded gauge\nclassifyd_models_loaded 2\n");
    srv_text_fini(&text);
}

static void *count(void *series)
{
    for (int i = 0; i < 20000; i++)
        srv_series_observe(series, 1);
    return NULL;
}

static void no_count_is_lost(void **state)
{
    const char *const labels[] = {"mnist", "3"};
    struct srv_series *series = srv_metrics_series(*state, SRV_M_BATCH_SIZE, labels);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, series), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct srv_text text = {0};
    srv_metrics_write(*state, &text);
    check_says(&text, "classifyd_batch_size_sum{model=\"mnist\",version=\"3\"} 80000\n"
                      "classifyd_batch_size_count{model=\"mnist\",version=\"3\"} 80000\n");
    srv_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_and_gauges_are_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(buckets_add_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(label_values_are_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(series_are_bounded, set_up, tear_down),
        cmocka_unit_test(what_is_lost_is_said),
        cmocka_unit_test(values_without_series),
        cmocka_unit_test_setup_teardown(no_count_is_lost, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
