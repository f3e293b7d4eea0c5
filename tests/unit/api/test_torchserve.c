#include "api/torchserve_reply.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const labels[] = {"crane", "maillot", "crane", "o\"x"};
static const struct eng_card card = {.n_classes = 4, .labels = labels};

static void check(const float *probabilities, size_t n_pictures, bool is_list, size_t n_top,
                  const char *wanted)
{
    struct srv_text text = {0};
    srv_torchserve_write_predictions(probabilities, n_pictures, is_list, &card, n_top, &text);
    assert_false(text.failed);
    assert_string_equal(text.bytes, wanted);
    json_t *root = json_loads(text.bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_decref(root);
    srv_text_fini(&text);
}

static void labels_are_sorted_and_stand_once(void **state)
{
    (void)state;
    static const float p[] = {0.125f, 0.25f, 0.5f, 0.125f, 0.25f, 0.25f, 0, 0.5f};
    check(p, 1, false, 1, "{\"crane\":0.5}\n");
    check(p, 1, false, 2, "{\"crane\":0.5,\"maillot\":0.25}\n");
    check(p, 1, false, 3, "{\"crane\":0.5,\"maillot\":0.25}\n");
    check(p, 1, false, 4, "{\"crane\":0.5,\"maillot\":0.25,\"o\\\"x\":0.125}\n");
    check(p, 1, true, 1, "[{\"crane\":0.5}]\n");
    check(p, 2, true, 4,
          "[{\"crane\":0.5,\"maillot\":0.25,\"o\\\"x\":0.125},"
          "{\"o\\\"x\":0.5,\"crane\":0.25,\"maillot\":0.25}]\n");
}

static void what_does_not_serve_has_no_workers(void **state)
{
    (void)state;
    struct srv_version_info info = {
        .model = "m", .version = "2", .state = SRV_FAILED, .queue_length = 3};
    const struct srv_torchserve_limits limits = {.batching = {.max_queue = 10, .max_delay_us = 1},
                                                 .response_timeout_ms = 29001};
    struct srv_text text = {0};
    srv_torchserve_write_description(&info, NULL, &limits, &text);
    json_t *root = json_loads(text.bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "modelName")), "m");
    assert_string_equal(json_string_value(json_object_get(root, "modelVersion")), "2");
    assert_int_equal(json_integer_value(json_object_get(root, "responseTimeout")), 30);
    assert_int_equal(json_integer_value(json_object_get(root, "maxBatchDelay")), 1);
    assert_int_equal(json_integer_value(json_object_get(root, "minWorkers")), 0);
    assert_int_equal(json_array_size(json_object_get(root, "workers")), 0);
    const json_t *queue = json_object_get(root, "jobQueueStatus");
    assert_int_equal(json_integer_value(json_object_get(queue, "remainingCapacity")), 7);
    assert_int_equal(json_integer_value(json_object_get(queue, "pendingRequests")), 3);
    json_decref(root);
    srv_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_sorted_and_stand_once),
        cmocka_unit_test(what_does_not_serve_has_no_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
