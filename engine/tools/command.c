#include "command.h"

#include "base/spelling.h"

#include <stdio.h>
#include <string.h>

int tool_fail(const char *command, const struct eng_error *err)
{
    fprintf(stderr, "classify %s: %s\n", command, err->text);
    return TOOL_FAILED;
}

const char *tool_nearest(const char *const *names, size_t n, const char *name)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 2; /* farther is another word, not a slip */
    for (size_t i = 0; i < n; i++) {
        size_t distance = eng_text_distance(names[i], name);
        if (distance < best_distance) {
            best_distance = distance;
            best = names[i];
        }
    }
    return best;
}
