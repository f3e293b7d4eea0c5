/* Token buckets: their rate, their burst, whose they are, and a table that stays bounded. */
#include "base/rate_limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct srv_rate ten = {.per_s = 10, .burst = 3};

static int set_up(void **state)
{
    *state = srv_rate_limit_create();
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    srv_rate_limit_destroy(*state);
    return 0;
}

static struct srv_rate_client client(uint64_t n)
{
    return (struct srv_rate_client){4, n};
}

static void allows_a_burst_and_then_its_rate(void **state)
{
    int64_t retry_us = -1, now_us = 1000000000;
    for (int i = 0; i < 3; i++)
        assert_true(srv_rate_limit_take(*state, client(1), ten, now_us, &retry_us));
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us, &retry_us));
    assert_int_equal(retry_us, 100000);
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us + 99999, &retry_us));
    assert_int_equal(retry_us, 1);
    assert_true(srv_rate_limit_take(*state, client(1), ten, now_us + 100000, &retry_us));
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us + 100000, &retry_us));
    int n_allowed = 0; /* a minute of asking every 10 ms */
    for (int64_t us = now_us + 100000; us < now_us + 60100000; us += 10000)
        n_allowed += srv_rate_limit_take(*state, client(1), ten, us, &retry_us);
    assert_in_range(n_allowed, 598, 600);
}

static void a_pause_refills_no_more_than_the_burst(void **state)
{
    int64_t retry_us, later_us = 3600000000;
    assert_true(srv_rate_limit_take(*state, client(1), ten, 1, &retry_us));
    for (int i = 0; i < 3; i++)
        assert_true(srv_rate_limit_take(*state, client(1), ten, later_us, &retry_us));
    assert_false(srv_rate_limit_take(*state, client(1), ten, later_us, &retry_us));
}

static void clients_do_not_share(void **state)
{
    int64_t retry_us, now_us = 5000000;
    for (uint64_t n = 0; n < 100; n++)
        for (int i = 0; i < 3; i++)
            assert_true(srv_rate_limit_take(*state, client(n), ten, now_us, &retry_us));
    for (uint64_t n = 0; n < 100; n++)
        assert_false(srv_rate_limit_take(*state, client(n), ten, now_us, &retry_us));
}

static void no_rate_is_no_limit(void **state)
{
    int64_t retry_us;
    const struct srv_rate none = {.per_s = 0, .burst = 1};
    for (int i = 0; i < 1000; i++)
        assert_true(srv_rate_limit_take(*state, client(1), none, 1, &retry_us));
}

/* A reload lets other settings hold: who has used up the old ones waits for one token of the new.
 */
static void other_settings_hold_at_once(void **state)
{
    int64_t retry_us = -1, now_us = 5000000;
    const struct srv_rate slow = {.per_s = 1, .burst = 1000};
    for (int i = 0; i < 1000; i++)
        assert_true(srv_rate_limit_take(*state, client(1), slow, now_us, &retry_us));
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us, &retry_us));
    assert_int_equal(retry_us, 100000);
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us + 50000, &retry_us));
    assert_true(srv_rate_limit_take(*state, client(1), ten, now_us + 100000, &retry_us));
    assert_false(srv_rate_limit_take(*state, client(1), ten, now_us + 100000, &retry_us));
}

/* More clients than it holds: somebody is forgotten, nobody new is refused. */
static void the_table_is_bounded(void **state)
{
    int64_t retry_us, now_us = 5000000;
    const struct srv_rate slow = {.per_s = 1, .burst = 1};
    for (uint64_t n = 0; n < 4 * SRV_RATE_CLIENTS; n++)
        assert_true(srv_rate_limit_take(*state, client(n), slow, now_us, &retry_us));
    size_t n_remembered = 0;
    for (uint64_t n = 0; n < 4 * SRV_RATE_CLIENTS; n++)
        n_remembered += !srv_rate_limit_take(*state, client(n), slow, now_us, &retry_us);
    assert_in_range(n_remembered, 1, SRV_RATE_CLIENTS);
    /* Who is far from full stays while others pass through. */
    const struct srv_rate deep = {.per_s = 1, .burst = 100};
    for (int i = 0; i < 100; i++)
        assert_true(srv_rate_limit_take(*state, client(1 << 30), deep, now_us, &retry_us));
    for (uint64_t n = 0; n < 4 * SRV_RATE_CLIENTS; n++)
        srv_rate_limit_take(*state, client(n), slow, now_us + 2000000, &retry_us);
    assert_false(srv_rate_limit_take(*state, client(1 << 30), (struct srv_rate){1, 90},
                                     now_us + 2000000, &retry_us));
}

static struct srv_rate_client of_text(int family, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (family == AF_INET) {
        assert_int_equal(inet_pton(AF_INET, text, &v4.sin_addr), 1);
        return srv_rate_client_of_address((const struct sockaddr *)(const void *)&v4);
    }
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return srv_rate_client_of_address((const struct sockaddr *)(const void *)&v6);
}

static bool is_same(struct srv_rate_client a, struct srv_rate_client b)
{
    return a.high == b.high && a.low == b.low;
}

static void tells_clients_apart(void **state)
{
    (void)state;
    assert_true(is_same(of_text(AF_INET, "192.0.2.7"), of_text(AF_INET, "192.0.2.7")));
    assert_false(is_same(of_text(AF_INET, "192.0.2.7"), of_text(AF_INET, "192.0.2.8")));
    assert_true(is_same(of_text(AF_INET, "192.0.2.7"), of_text(AF_INET6, "::ffff:192.0.2.7")));
    assert_true(
        is_same(of_text(AF_INET6, "2001:db8:1:2::1"), of_text(AF_INET6, "2001:db8:1:2:ff::")));
    assert_false(
        is_same(of_text(AF_INET6, "2001:db8:1:2::1"), of_text(AF_INET6, "2001:db8:1:3::1")));
    assert_false(is_same(of_text(AF_INET, "0.0.0.0"), of_text(AF_INET6, "::")));
    assert_true(is_same(srv_rate_client_of_key("alice"), srv_rate_client_of_key("alice")));
    assert_false(is_same(srv_rate_client_of_key("alice"), srv_rate_client_of_key("alicf")));
    assert_false(is_same(srv_rate_client_of_key(""), srv_rate_client_of_address(NULL)));
}

enum { N_THREADS = 4, N_ROUNDS = 20000 };

static void *take_many(void *limit)
{
    size_t n_allowed = 0;
    const struct srv_rate rate = {.per_s = 1, .burst = 1000};
    int64_t retry_us;
    for (int i = 0; i < N_ROUNDS; i++)
        n_allowed += srv_rate_limit_take(limit, client((uint64_t)i % 5), rate, 7000000, &retry_us);
    return (void *)(uintptr_t)n_allowed;
}

/* Five clients, a thousand tokens each, whoever takes them. */
static void threads_share_a_bucket(void **state)
{
    pthread_t threads[N_THREADS];
    size_t n_allowed = 0;
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, *state), 0);
    for (int i = 0; i < N_THREADS; i++) {
        void *own;
        pthread_join(threads[i], &own);
        n_allowed += (uintptr_t)own;
    }
    assert_int_equal(n_allowed, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(allows_a_burst_and_then_its_rate),
        TEST(a_pause_refills_no_more_than_the_burst),
        TEST(clients_do_not_share),
        TEST(no_rate_is_no_limit),
        TEST(other_settings_hold_at_once),
        TEST(the_table_is_bounded),
        TEST(tells_clients_apart),
        TEST(threads_share_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
