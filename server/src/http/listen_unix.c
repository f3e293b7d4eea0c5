#include "http/listen_unix.h"

#include "base/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 1 };

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return address;
}

int srv_unix_connect(const char *path, int patience_s)
{
    const struct sockaddr_un address = address_of(path);
    const struct timeval patience = {.tv_sec = patience_s};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static enum eng_status fail(const char *path, const char *why, struct eng_error *err)
{
    return srv_fail(err, ENG_IO, "cannot listen on unix:%s: %s", path, why);
}

/* Makes way: removes a socket that nobody listens on. */
static enum eng_status remove_stale(const char *path, struct eng_error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0) return errno == ENOENT ? ENG_OK : fail(path, strerror(errno), err);
    if (!S_ISSOCK(info.st_mode)) return fail(path, "there is a file that is no socket", err);
    int fd = srv_unix_connect(path, PATIENCE_S);
    int reason = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    /* EAGAIN: somebody listens, but has much to do. */
    if (fd >= 0 || reason == EAGAIN) return fail(path, "another process answers there", err);
    if (reason != ECONNREFUSED) return fail(path, strerror(reason), err);
    return unlink(path) == 0 || errno == ENOENT ? ENG_OK : fail(path, strerror(errno), err);
}

/* A lock on the folder of path, -1 with errno set. Closing it ends it. */
static int lock_folder(const char *path)
{
    char folder[SRV_UNIX_PATH_CHARS + 1];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0'; /* the path is absolute */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) == 0) return fd;
    close(fd);
    return -1;
}

/* Binds, with the file's mode set before it is there. */
static enum eng_status bind_path(int fd, const char *path, int backlog, struct srv_listening *out,
                                 struct eng_error *err)
{
    const struct sockaddr_un address = address_of(path);
    struct stat info;
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, backlog) != 0 || lstat(path, &info) != 0)
        return fail(path, strerror(errno), err);
    *out = (struct srv_listening){.fd = fd, .device = info.st_dev, .inode = info.st_ino};
    strcpy(out->path, path);
    snprintf(out->url, sizeof out->url, "unix:%s", path);
    return ENG_OK;
}

enum eng_status srv_listen_open_unix(const char *path, int backlog, struct srv_listening *out,
                                     struct eng_error *err)
{
    int lock = lock_folder(path);
    if (lock < 0) return fail(path, strerror(errno), err);
    enum eng_status status = remove_stale(path, err);
    int fd = -1;
    if (status == ENG_OK) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        status = fd < 0 ? fail(path, strerror(errno), err) : bind_path(fd, path, backlog, out, err);
    }
    if (status != ENG_OK && fd >= 0) close(fd);
    close(lock);
    return status;
}

void srv_listen_remove_unix(const struct srv_listening *listening)
{
    struct stat info;
    int lock = lock_folder(listening->path);
    bool is_ours = lstat(listening->path, &info) == 0 && info.st_dev == listening->device &&
                   info.st_ino == listening->inode;
    if (is_ours) unlink(listening->path);
    if (lock >= 0) close(lock);
}
