#include "base/spelling.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 63 };

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein 1966, row by row: row[j] is the distance of a's first i letters to b's first j. */
size_t eng_text_distance(const char *a, const char *b)
{
    size_t n_a = strnlen(a, LONGEST + 1), n_b = strnlen(b, LONGEST + 1);
    if (n_a > LONGEST || n_b > LONGEST) return SIZE_MAX;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= n_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = min(replaced, 1 + min(row[j], row[j - 1]));
        }
    }
    return row[n_b];
}

const char *eng_text_nearest(const char *name, const char *const *names)
{
    size_t n = 0;
    while (names[n])
        n++;
    return eng_text_nearest_of(name, names, n);
}

const char *eng_text_nearest_of(const char *name, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t length = strlen(name), least = (length + 2) / 3 + 1;
    if (least > length) least = length; /* another letter is no slip of a one-letter name */
    for (size_t i = 0; i < n; i++) {
        size_t distance = eng_text_distance(names[i], name);
        if (distance >= least) continue;
        least = distance;
        nearest = names[i];
    }
    return nearest;
}
