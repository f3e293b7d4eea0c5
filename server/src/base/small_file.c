#include "base/small_file.h"

#include "base/fail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum eng_status srv_small_file_read(const char *what, const char *path, size_t max_bytes,
                                    char **out, size_t *n_bytes, struct eng_error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) return srv_fail(err, ENG_IO, "%s %s: %s", what, path, strerror(errno));
    char *bytes = malloc(max_bytes + 1);
    size_t n = bytes ? fread(bytes, 1, max_bytes + 1, file) : 0;
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    enum eng_status status = ENG_OK;
    if (!bytes)
        status = srv_fail_memory(err, what);
    else if (reason)
        status = srv_fail(err, ENG_IO, "%s %s: %s", what, path, strerror(reason));
    else if (n > max_bytes)
        status = srv_fail(err, ENG_LIMIT, "%s %s: it is larger; wanted at most %zu bytes", what,
                          path, max_bytes);
    if (status != ENG_OK) {
        free(bytes);
        return status;
    }
    bytes[n] = '\0';
    *out = bytes;
    *n_bytes = n;
    return ENG_OK;
}
