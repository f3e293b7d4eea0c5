#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that does not fit says so. */
static void mark_cut(struct eng_error *err, int n_wanted)
{
    if (n_wanted >= (int)sizeof err->text) memcpy(err->text + sizeof err->text - 4, "...", 4);
}

enum eng_status eng_fail(struct eng_error *err, enum eng_status status, const char *format, ...)
{
    if (!err || err->status != ENG_OK) return status;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    mark_cut(err, n);
    err->status = status;
    return status;
}

enum eng_status eng_fail_memory(struct eng_error *err, const char *what)
{
    return eng_fail(err, ENG_NO_MEMORY, "out of memory for %s", what);
}

void eng_error_context(struct eng_error *err, const char *format, ...)
{
    if (!err || err->status == ENG_OK) return;
    char sentence[sizeof err->text];
    memcpy(sentence, err->text, sizeof sentence);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t n_context = strlen(err->text);
    int n = snprintf(err->text + n_context, sizeof err->text - n_context, ": %s", sentence);
    mark_cut(err, (int)n_context + n);
}
