#include "http/accept.h"

#include "base/fail.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_NS = 20000000, BATCH = 64 };

struct srv_acceptor {
    const struct srv_app *app;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_size_t *n_connections;
    int fd;
    int stop_fd; /* readable: come to an end */
};

/* Takes those that wait, but looks up now and then: in a flood there is always one more. What
 * cannot be taken for want of descriptors or memory stays in the backlog and keeps the socket
 * readable: so a pause before the next look. */
static void accept_waiting(const struct srv_acceptor *acceptor)
{
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage address;
        socklen_t n = sizeof address;
        int fd =
            accept4(acceptor->fd, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR)) continue;
        if (fd < 0) {
            if (errno != EAGAIN) nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
            return;
        }
        size_t max = (size_t)acceptor->app->config->max_connections;
        if (atomic_fetch_add(acceptor->n_connections, 1) >= max) {
            atomic_fetch_sub(acceptor->n_connections, 1);
            close(fd);
            continue;
        }
        /* Closes fd itself if it cannot take the connection. */
        if (MHD_add_connection(acceptor->daemon, fd, (struct sockaddr *)&address, n) != MHD_YES)
            atomic_fetch_sub(acceptor->n_connections, 1);
    }
}

static void *run(void *argument)
{
    const struct srv_acceptor *acceptor = argument;
    struct pollfd fds[2] = {{.fd = acceptor->fd, .events = POLLIN},
                            {.fd = acceptor->stop_fd, .events = POLLIN}};
    while (fds[1].revents == 0) {
        if (poll(fds, 2, -1) > 0 && fds[0].revents != 0) accept_waiting(acceptor);
    }
    return NULL;
}

enum eng_status srv_acceptor_start(const struct srv_app *app, int fd, struct MHD_Daemon *daemon,
                                   atomic_size_t *n_connections, struct srv_acceptor **out,
                                   struct eng_error *err)
{
    struct srv_acceptor *acceptor = calloc(1, sizeof *acceptor);
    if (!acceptor) return srv_fail_memory(err, "a listener");
    *acceptor = (struct srv_acceptor){.app = app,
                                      .daemon = daemon,
                                      .n_connections = n_connections,

                                      .fd = fd,
                                      .stop_fd = eventfd(0, EFD_CLOEXEC)};
    int failed =
        acceptor->stop_fd < 0 ? errno : pthread_create(&acceptor->thread, NULL, run, acceptor);
    if (failed) {
        if (acceptor->stop_fd >= 0) close(acceptor->stop_fd);
        free(acceptor);
        return srv_fail(err, ENG_IO, "a thread that accepts connections could not be started: %s",
                        strerror(failed));
    }
    *out = acceptor;
    return ENG_OK;
}

void srv_acceptor_stop(struct srv_acceptor *acceptor)
{
    if (!acceptor) return;
    eventfd_write(acceptor->stop_fd, 1);
    pthread_join(acceptor->thread, NULL);
    close(acceptor->stop_fd);
    free(acceptor);
}
