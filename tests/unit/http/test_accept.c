/* The thread that accepts: it ends though connections keep coming. */
#include "http/accept.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_size_t n_added;

/* In place of libmicrohttpd's own: slower than clients come. */
enum MHD_Result MHD_add_connection(struct MHD_Daemon *daemon, int fd,
                                   const struct sockaddr *address, socklen_t n_address)
{
    (void)daemon, (void)address, (void)n_address;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    close(fd);
    atomic_fetch_add(&n_added, 1);
    return MHD_NO;
}

struct flood {
    struct sockaddr_in address;
    atomic_bool is_over;
};

static void *connect_on_and_on(void *arg)
{
    struct flood *flood = arg;
    while (!atomic_load(&flood->is_over)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        connect(fd, (struct sockaddr *)&flood->address, sizeof flood->address);
        close(fd);
    }
    return NULL;
}

static int listen_on(struct sockaddr_in *address)
{
    socklen_t n = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)address, n), 0);
    assert_int_equal(listen(fd, 1024), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address, &n), 0);
    return fd;
}

static void a_flood_does_not_hold_up_the_end(void **state)
{
    (void)state;
    struct srv_config config = {.max_connections = 1000000};
    struct srv_app app = {.config = &config};
    struct flood flood = {.is_over = false};
    struct srv_acceptor *acceptor = NULL;
    atomic_size_t n_connections = 0;
    pthread_t clients[2];
    int fd = listen_on(&flood.address);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, connect_on_and_on, &flood), 0);
    assert_int_equal(srv_acceptor_start(&app, fd, NULL, &n_connections, &acceptor, NULL), ENG_OK);
    while (atomic_load(&n_added) < 100)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    alarm(60); /* the end of the test, should it wait for that of the flood */
    srv_acceptor_stop(acceptor);
    alarm(0);
    atomic_store(&flood.is_over, true);
    close(fd);
    for (int i = 0; i < 2; i++)
        pthread_join(clients[i], NULL);
    assert_int_equal(n_connections, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
