#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

enum eng_status srv_fail(struct eng_error *err, enum eng_status status, const char *format, ...)
{
    if (err && err->status == ENG_OK) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->status = status;
    }
    return status;
}

enum eng_status srv_fail_memory(struct eng_error *err, const char *what)
{
    return srv_fail(err, ENG_NO_MEMORY, "out of memory for %s", what);
}
