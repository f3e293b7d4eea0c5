/* Other servers' names for our metrics. */
#include "base/metrics.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_says(const struct srv_text *text, const char *part)
{
    if (!strstr(text->bytes, part)) fail_msg("\"%s\" is not in:\n%s", part, text->bytes);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text++)
        n++;
    return n;
}

static struct srv_series *series(void **state, enum srv_metric metric, const char *version,
                                 const char *code)
{
    const char *const labels[] = {"m", version, code};
    struct srv_series *found = srv_metrics_series(*state, metric, labels);
    assert_non_null(found);
    return found;
}

/* Two requests to version 1, one to version 2, and failures. */
static int set_up(void **state)
{
    *state = srv_metrics_create(NULL);
    if (!*state) return 1;
    srv_series_observe(series(state, SRV_M_INFERENCE_SECONDS, "1", NULL), 0.00002);
    srv_series_observe(series(state, SRV_M_INFERENCE_SECONDS, "1", NULL), 0.002);
    srv_series_observe(series(state, SRV_M_INFERENCE_SECONDS, "2", NULL), 0.002);
    srv_series_observe(series(state, SRV_M_BATCH_SIZE, "1", NULL), 3);
    srv_series_observe(series(state, SRV_M_BATCH_SIZE, "1", NULL), 4);
    srv_series_observe(series(state, SRV_M_QUEUE_SECONDS, "1", NULL), 0.001);
    srv_series_observe(series(state, SRV_M_DECODE_SECONDS, "1", NULL), 0.0005);
    srv_series_observe(series(state, SRV_M_ENCODE_SECONDS, "1", NULL), 0.00025);
    srv_series_observe(series(state, SRV_M_COMPUTE_SECONDS, "1", NULL), 0.01);
    srv_series_add(series(state, SRV_M_REQUEST_COMPUTE_SECONDS, "1", NULL), 0.02);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "1", "503"), 1);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "1", "504"), 2);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "1", "400"), 4);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "1", "499"), 8);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "2", "500"), 16);
    srv_series_add(series(state, SRV_M_INFERENCE_FAILURES, "2", "400"), 32);
    return 0;
}

static int tear_down(void **state)
{
    srv_metrics_destroy(*state);
    return 0;
}

static void triton(void **state)
{
    static const char *const parts[] = {
        "# TYPE nv_inference_request_success counter\n",
        "\nnv_inference_request_success{model=\"m\",version=\"1\"} 2\n",
        "\nnv_inference_request_success{model=\"m\",version=\"2\"} 1\n",
        "\nnv_inference_request_failure{model=\"m\",version=\"1\",reason=\"REJECTED\"} 3\n",
        "\nnv_inference_request_failure{model=\"m\",version=\"1\",reason=\"OTHER\"} 4\n",
        "\nnv_inference_request_failure{model=\"m\",version=\"1\",reason=\"CANCELED\"} 8\n",
        "\nnv_inference_request_failure{model=\"m\",version=\"2\",reason=\"BACKEND\"} 16\n",
        "\nnv_inference_request_failure{model=\"m\",version=\"2\",reason=\"OTHER\"} 32\n",
        "\nnv_inference_count{model=\"m\",version=\"1\"} 7\n",
        "\nnv_inference_exec_count{model=\"m\",version=\"1\"} 2\n",
        "\nnv_inference_request_duration_us{model=\"m\",version=\"1\"} 2020\n",
        "\nnv_inference_queue_duration_us{model=\"m\",version=\"1\"} 1000\n",
        "\nnv_inference_compute_input_duration_us{model=\"m\",version=\"1\"} 500\n",
        "\nnv_inference_compute_infer_duration_us{model=\"m\",version=\"1\"} 20000\n",
        "\nnv_inference_compute_output_duration_us{model=\"m\",version=\"1\"} 250\n",
    };
    struct srv_text text = {0};
    srv_metrics_write_aliases(*state, SRV_TRITON, &text);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        check_says(&text, parts[i]);
    assert_int_equal(count(text.bytes, "\nnv_inference_request_failure{"), 5);
    assert_null(strstr(text.bytes, "tensorflow"));
    srv_text_fini(&text);
}

/* Versions of a model are one there. */
static void tf_serving(void **state)
{
    static const char *const parts[] = {
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"OK\"} 3\n",
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"INVALID_ARGUMENT\"} 36\n",
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"UNAVAILABLE\"} 1\n",
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"DEADLINE_EXCEEDED\"} 2\n",
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"CANCELLED\"} 8\n",
        "\n:tensorflow:serving:request_count{model_name=\"m\",status=\"INTERNAL\"} 16\n",
        "# TYPE :tensorflow:serving:request_latency histogram\n",
        "_latency_bucket{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\",le="
        "\"10\"} 0\n",
        "_latency_bucket{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\",le="
        "\"25\"} 1\n",
        "_latency_bucket{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\",le="
        "\"2500\"} 3\n",
        "_latency_bucket{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\",le=\"+"
        "Inf\"} 3\n",
        "_latency_sum{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\"} 4020\n",
        "_latency_count{model_name=\"m\",API=\"Predict\",entrypoint=\"REST\",status=\"OK\"} 3\n",
        ":runtime_latency_sum{model_name=\"m\",API=\"Predict\",runtime=\"classifyd\"} 10000\n",
    };
    struct srv_text text = {0};
    srv_metrics_write_aliases(*state, SRV_TF_SERVING, &text);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        check_says(&text, parts[i]);
    assert_int_equal(count(text.bytes, "# TYPE :tensorflow:serving:request_count "), 1);
    assert_int_equal(count(text.bytes, "\n:tensorflow:serving:request_count{"), 6);
    assert_null(strstr(text.bytes, "nv_"));
    srv_text_fini(&text);
}

static void nothing_is_made_of_nothing(void **state)
{
    (void)state;
    struct srv_metrics *metrics = srv_metrics_create(NULL);
    struct srv_text text = {0};
    srv_metrics_write_aliases(metrics, SRV_TRITON | SRV_TF_SERVING, &text);
    assert_int_equal(text.n_bytes, 0);
    srv_metrics_destroy(metrics);
    srv_text_fini(&text);
}

static void settings_name_dialects(void **state)
{
    (void)state;
    assert_int_equal(srv_metrics_dialects("off"), SRV_NO_DIALECT);
    assert_int_equal(srv_metrics_dialects("triton"), SRV_TRITON);
    assert_int_equal(srv_metrics_dialects("tf_serving"), SRV_TF_SERVING);
    assert_int_equal(srv_metrics_dialects("all"), SRV_TRITON | SRV_TF_SERVING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(triton, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tf_serving, set_up, tear_down),
        cmocka_unit_test(nothing_is_made_of_nothing),
        cmocka_unit_test(settings_name_dialects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
