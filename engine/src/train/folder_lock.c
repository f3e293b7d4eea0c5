#include "train/folder_lock.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum eng_status eng_folder_lock(const char *path, int *lock, struct eng_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return eng_fail(err, errno == ENOENT ? ENG_NOT_FOUND : ENG_IO, "%s: cannot be opened: %s",
                        path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        return eng_fail(err, ENG_ARGUMENT,
                        "%s: another run is writing to this folder; wanted a folder of this run's "
                        "own, or the other one to end first",
                        path);
    }
    *lock = fd;
    return ENG_OK;
}

void eng_folder_unlock(int *lock)
{
    if (*lock >= 0) close(*lock);
    *lock = ENG_FOLDER_UNLOCKED;
}
