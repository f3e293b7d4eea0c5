#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *eng_calloc(size_t n, size_t bytes)
{
    size_t n_bytes;
    if (!eng_mul_size(n, bytes, &n_bytes))
        return NULL;
    return calloc(1, n_bytes ? n_bytes : 1);
}

void *eng_alloc_aligned(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2)
        return NULL;
    return aligned_alloc(ENG_ALIGN, eng_align_up(n_bytes ? n_bytes : 1));
}

bool eng_grow(void *array, size_t *capacity, size_t n, size_t bytes)
{
    if (n <= *capacity)
        return true;
    size_t wanted = *capacity <= SIZE_MAX / 2 && *capacity * 2 > n ? *capacity * 2 : n;
    if (wanted < 8)
        wanted = 8;
    size_t n_bytes;
    if (!eng_mul_size(wanted, bytes, &n_bytes))
        return false;
    void *old; /* array points to a pointer of some type: copied, not cast */
    memcpy(&old, array, sizeof old);
    char *grown = realloc(old, n_bytes);
    if (!grown)
        return false;
    memset(grown + *capacity * bytes, 0, n_bytes - *capacity * bytes);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}
