#include "engine/status.h"

#include <stddef.h>

static const char *const texts[] = {
#define ROW(name, text) text,
    ENG_STATUS_MAP(ROW)
#undef ROW
};

/* Lower-case spellings of ENG_STATUS_MAP's names, which the preprocessor cannot make. */
static const char *const names[] = {
    [ENG_OK] = "ok",
    [ENG_NO_MEMORY] = "no_memory",
    [ENG_ARGUMENT] = "argument",
    [ENG_FORMAT] = "format",
    [ENG_UNSUPPORTED] = "unsupported",
    [ENG_LIMIT] = "limit",
    [ENG_IO] = "io",
    [ENG_NOT_FOUND] = "not_found",
    [ENG_MISMATCH] = "mismatch",
    [ENG_DIVERGED] = "diverged",
    [ENG_CANCELLED] = "cancelled",
};

enum { N_STATUS = sizeof texts / sizeof texts[0] };
_Static_assert(sizeof names == sizeof texts, "a status has no lower-case name");

const char *eng_status_name(enum eng_status status)
{
    return (unsigned)status < N_STATUS ? names[status] : "unknown";
}

const char *eng_status_text(enum eng_status status)
{
    return (unsigned)status < N_STATUS ? texts[status] : "a status that does not exist";
}
