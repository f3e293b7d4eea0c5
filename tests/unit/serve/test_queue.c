/* Whose turn it is: priorities that cannot starve anybody. */
#include "serve/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct srv_job make(unsigned priority, int64_t submitted_us, size_t n)
{
    return (struct srv_job){
        .priority = priority, .n_samples = n, .times = {.submitted_us = submitted_us}};
}

/* The first job, all of whose pictures are taken. */
static struct srv_job *take(struct srv_queue *queue)
{
    struct srv_job *job = srv_queue_first(queue);
    if (job) srv_queue_take(queue, job, job->n_samples - job->n_taken);
    return job;
}

static void equals_keep_their_order(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job jobs[5];
    assert_null(srv_queue_first(&queue));
    for (int i = 0; i < 5; i++) {
        jobs[i] = make(3, 100 + i, 2);
        srv_queue_append(&queue, &jobs[i]);
    }
    assert_int_equal(srv_queue_ahead(&queue, 3), 10);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(take(&queue), &jobs[i]);
    assert_null(srv_queue_first(&queue));
    srv_queue_append(&queue, &jobs[0]); /* the ends are in order */
    jobs[1].n_taken = 0;
    srv_queue_append(&queue, &jobs[1]);
    assert_ptr_equal(srv_queue_first(&queue), &jobs[0]);
}

static void the_urgent_goes_first(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job low = make(9, 1000, 4), middle = make(5, 2000, 3), high = make(1, 3000, 2);
    srv_queue_append(&queue, &low);
    srv_queue_append(&queue, &middle);
    srv_queue_append(&queue, &high);
    assert_int_equal(srv_queue_ahead(&queue, 1), 2);
    assert_int_equal(srv_queue_ahead(&queue, 4), 2);
    assert_int_equal(srv_queue_ahead(&queue, 5), 5);
    assert_int_equal(srv_queue_ahead(&queue, 10), 9);
    assert_ptr_equal(take(&queue), &high);
    assert_ptr_equal(take(&queue), &middle);
    assert_ptr_equal(take(&queue), &low);
}

/* A lone job of the lowest priority, and urgent ones that keep coming: it waits its steps long. */
static void nobody_starves(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job low = make(SRV_MAX_PRIORITY, 0, 1), urgent[200];
    const int64_t every_us = SRV_PRIORITY_STEP_US / 10;
    srv_queue_append(&queue, &low);
    for (int i = 0; i < 200; i++) {
        urgent[i] = make(1, i * every_us, 1);
        srv_queue_append(&queue, &urgent[i]);
        if (take(&queue) != &low) continue;
        assert_int_equal(i, 10 * (SRV_MAX_PRIORITY - 1) + 1);
        return;
    }
    fail_msg("the job starved");
}

static void a_job_in_parts_stays_first(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job large = make(5, 0, 10), other = make(5, 1, 1), urgent = make(1, 2, 1);
    srv_queue_append(&queue, &large);
    srv_queue_append(&queue, &other);
    srv_queue_take(&queue, &large, 4);
    assert_int_equal(large.n_taken, 4);
    assert_int_equal(srv_queue_ahead(&queue, 5), 7);
    assert_ptr_equal(srv_queue_first(&queue), &large);
    srv_queue_append(&queue, &urgent);
    assert_ptr_equal(take(&queue), &urgent);
    assert_ptr_equal(take(&queue), &large);
    assert_ptr_equal(take(&queue), &other);
}

static bool is_late(const struct srv_job *job, int64_t now_us)
{
    return job->deadline_us <= now_us;
}

static void removes_what_is_over(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job jobs[6];
    size_t n_removed = 0;
    for (int i = 0; i < 6; i++) {
        jobs[i] = make(i < 4 ? 2 : 7, i, 3);
        jobs[i].deadline_us = i % 3 == 0 || i == 5 ? 50 : 150;
        srv_queue_append(&queue, &jobs[i]);
    }
    srv_queue_take(&queue, &jobs[0], 1);
    for (struct srv_job *job = srv_queue_remove(&queue, is_late, 50); job; job = job->next)
        n_removed += job->deadline_us == 50;
    assert_int_equal(n_removed, 3); /* 0, 3 and 5: the first, the last, the last of the others */
    assert_int_equal(srv_queue_ahead(&queue, 10), 9);
    struct srv_job after = make(2, 9, 1), after_low = make(7, 9, 1);
    srv_queue_append(&queue, &after);
    srv_queue_append(&queue, &after_low);
    assert_ptr_equal(take(&queue), &jobs[1]);
    assert_ptr_equal(take(&queue), &jobs[2]);
    assert_ptr_equal(take(&queue), &after);
    assert_ptr_equal(take(&queue), &jobs[4]);
    assert_ptr_equal(take(&queue), &after_low);
    assert_null(take(&queue));
}

static void knows_the_first_that_is_due(void **state)
{
    (void)state;
    struct srv_queue queue = {0};
    struct srv_job a = make(5, 1000, 1), b = make(5, 1100, 1), urgent = make(1, 1200, 1);
    assert_int_equal(srv_queue_due_us(&queue, 500), INT64_MAX);
    srv_queue_append(&queue, &urgent);
    assert_int_equal(srv_queue_due_us(&queue, 500), 1700);
    srv_queue_append(&queue, &a);
    assert_int_equal(srv_queue_due_us(&queue, 500), 1500);
    b.deadline_us = 1300;
    srv_queue_append(&queue, &b);
    assert_int_equal(srv_queue_due_us(&queue, 500), 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_keep_their_order), cmocka_unit_test(the_urgent_goes_first),
        cmocka_unit_test(nobody_starves),          cmocka_unit_test(a_job_in_parts_stays_first),
        cmocka_unit_test(removes_what_is_over),    cmocka_unit_test(knows_the_first_that_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
