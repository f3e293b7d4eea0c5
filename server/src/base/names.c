#include "base/names.h"

#include <string.h>

bool srv_names_next(const char **list, const char **name, size_t *n_chars)
{
    static const char separators[] = ", ";
    *name = *list + strspn(*list, separators);
    *n_chars = strcspn(*name, separators);
    *list = *name + *n_chars;
    return *n_chars > 0;
}

bool srv_names_have(const char *list, const char *wanted)
{
    const char *name;
    size_t n;
    while (srv_names_next(&list, &name, &n))
        if (n == strlen(wanted) && strncmp(name, wanted, n) == 0) return true;
    return false;
}
