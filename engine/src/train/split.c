#include "train/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

size_t eng_split_draw(struct eng_rng *rng, size_t n, double share, bool set_aside, uint32_t *order)
{
    size_t n_aside = (size_t)round((double)n * share);
    if (n_aside < 1) n_aside = 1;
    if (n_aside > n - 1) n_aside = n - 1;
    eng_rng_shuffle(rng, order, n);
    size_t n_chosen = set_aside ? n_aside : n - n_aside;
    if (!set_aside) memmove(order, order + n_aside, n_chosen * sizeof *order);
    qsort(order, n_chosen, sizeof *order, compare);
    return n_chosen;
}
