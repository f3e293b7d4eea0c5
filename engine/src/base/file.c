#include "base/file.h"

#include "base/error.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static enum eng_status fail_errno(struct eng_error *err, const char *path, const char *what)
{
    int code = errno;
    return eng_fail(err, code == ENOENT ? ENG_NOT_FOUND : ENG_IO, "%s: cannot %s: %s", path, what,
                    strerror(code));
}

/* Returns how many bytes were read before the end of the file, or -1. */
static ssize_t read_up_to(int fd, size_t offset, uint8_t *bytes, size_t n_bytes)
{
    size_t n = 0;
    while (n < n_bytes) {
        ssize_t got = pread(fd, bytes + n, n_bytes - n, (off_t)(offset + n));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static enum eng_status examine(int fd, const char *path, size_t max_bytes,
                               struct eng_open_file *out, struct eng_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return fail_errno(err, path, "examine");
    if (!S_ISREG(info.st_mode)) return eng_fail(err, ENG_IO, "%s: not a regular file", path);
    size_t n_bytes = (size_t)info.st_size;
    if (n_bytes > max_bytes)
        return eng_fail(err, ENG_LIMIT, "%s: %zu bytes, but at most %zu are read", path, n_bytes,
                        max_bytes);
    *out =
        (struct eng_open_file){.fd = fd, .n_bytes = n_bytes, .path = path, .written = info.st_mtim};
    return ENG_OK;
}

enum eng_status eng_file_open(const char *path, size_t max_bytes, struct eng_open_file *out,
                              struct eng_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a fifo must not hold us up */
    if (fd < 0) return fail_errno(err, path, "open");
    enum eng_status status = examine(fd, path, max_bytes, out, err);
    if (status != ENG_OK) close(fd);
    return status;
}

void eng_open_file_close(struct eng_open_file *file)
{
    close(file->fd);
}

enum eng_status eng_open_file_again(const struct eng_open_file *file, const char *path,
                                    struct eng_open_file *out, struct eng_error *err)
{
    int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return fail_errno(err, path, "keep it open");
    *out = *file;
    out->fd = fd;
    out->path = path;
    return ENG_OK;
}

enum eng_status eng_open_file_read(const struct eng_open_file *file, size_t offset, void *to,
                                   size_t n, struct eng_error *err)
{
    ssize_t got = read_up_to(file->fd, offset, to, n);
    if (got < 0) return fail_errno(err, file->path, "read");
    if ((size_t)got == n) return ENG_OK;
    return eng_fail(err, ENG_IO, "%s: ends after %zu of %zu bytes: it shrank meanwhile", file->path,
                    offset + (size_t)got, file->n_bytes);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

enum eng_status eng_open_file_check(const struct eng_open_file *file, struct eng_error *err)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0) return fail_errno(err, file->path, "examine");
    if ((size_t)info.st_size == file->n_bytes && same_time(&info.st_mtim, &file->written))
        return ENG_OK;
    return eng_fail(err, ENG_IO, "%s: it was written to while it was read", file->path);
}

enum eng_status eng_file_read(const char *path, size_t max_bytes, struct eng_file *out,
                              struct eng_error *err)
{
    struct eng_open_file file = {0};
    enum eng_status status = eng_file_open(path, max_bytes, &file, err);
    if (status != ENG_OK) return status;
    uint8_t *bytes = malloc(file.n_bytes ? file.n_bytes : 1);
    if (!bytes)
        status =
            eng_fail(err, ENG_NO_MEMORY, "%s: out of memory for %zu bytes", path, file.n_bytes);
    if (status == ENG_OK) status = eng_open_file_read(&file, 0, bytes, file.n_bytes, err);
    eng_open_file_close(&file);
    if (status == ENG_OK)
        *out = (struct eng_file){.bytes = bytes, .n_bytes = file.n_bytes};
    else
        free(bytes);
    return status;
}

void eng_file_fini(struct eng_file *file)
{
    free(file->bytes);
    *file = (struct eng_file){0};
}

/* Temporary files are hidden, and short however long the path is. */
static const char temporary_name[] = ".classifyd-XXXXXX";
enum { RANDOM_LETTERS = 6 };

/* The folder that path lies in, as a new string. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool write_all(int fd, const uint8_t *bytes, size_t n_bytes)
{
    while (n_bytes) {
        ssize_t n = write(fd, bytes, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* Makes the rename itself survive a power failure. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = fsync(fd) == 0 || errno == EINVAL; /* some file systems have nothing to sync there */
    int code = errno;
    close(fd);
    errno = code;
    return ok;
}

/* Writes the temporary file and moves it over path. */
static enum eng_status replace(const char *path, const char *folder, char *temporary,
                               const void *bytes, size_t n_bytes, struct eng_error *err)
{
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return fail_errno(err, path, "create a temporary file beside it");
    flock(fd, LOCK_EX | LOCK_NB); /* says that we live, see eng_file_remove_leftovers */
    bool ok = fchmod(fd, 0644) == 0 && write_all(fd, bytes, n_bytes) && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        code = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        code = errno;
    }
    if (!ok) {
        unlink(temporary);
        errno = code;
        return fail_errno(err, path, "write");
    }
    return sync_folder(folder) ? ENG_OK : fail_errno(err, folder, "sync");
}

enum eng_status eng_file_write(const char *path, const void *bytes, size_t n_bytes,
                               struct eng_error *err)
{
    char *folder = folder_of(path);
    size_t n_temporary = folder ? strlen(folder) + 1 + sizeof temporary_name : 0;
    char *temporary = folder ? malloc(n_temporary) : NULL;
    enum eng_status status;
    if (!temporary) {
        status = eng_fail_memory(err, path);
    } else {
        snprintf(temporary, n_temporary, "%s/%s", folder, temporary_name);
        status = replace(path, folder, temporary, bytes, n_bytes, err);
    }
    free(temporary);
    free(folder);
    return status;
}

static bool is_temporary(const char *name)
{
    return strlen(name) == sizeof temporary_name - 1 &&
           strncmp(name, temporary_name, sizeof temporary_name - 1 - RANDOM_LETTERS) == 0;
}

/* Whoever writes a file holds its lock; the lock of the dead is free. */
static bool is_abandoned(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    struct stat info;
    bool abandoned =
        fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return abandoned;
}

void eng_file_remove_leftovers(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (is_temporary(entry->d_name) && is_abandoned(dirfd(dir), entry->d_name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

static bool make_dir(const char *path)
{
    if (mkdir(path, 0755) == 0) return true;
    int code = errno;
    bool ok = eng_file_is_dir(path);
    errno = code;
    return ok;
}

enum eng_status eng_file_make_dirs(const char *path, struct eng_error *err)
{
    char *part = strdup(path);
    if (!part) return eng_fail_memory(err, path);
    bool ok = true;
    for (char *slash = part; ok && *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        ok = make_dir(part);
        *slash = '/';
    }
    ok = ok && make_dir(path);
    enum eng_status status = ok ? ENG_OK : fail_errno(err, path, "make the folder");
    free(part);
    return status;
}

bool eng_file_is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool eng_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
