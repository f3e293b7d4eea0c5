#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

void *eng_calloc(size_t n, size_t bytes)
{
    size_t n_bytes;
    if (!eng_mul_size(n, bytes, &n_bytes)) return NULL;
    return calloc(1, n_bytes ? n_bytes : 1);
}

/* Large blocks lie on huge pages where the kernel has them: weights of 100 MB then cost 50 page
 * faults instead of 25,000, which take longer than everything else that is done with them. */
static void *alloc_huge(size_t n_bytes)
{
    void *block = aligned_alloc(HUGE_PAGE_BYTES, n_bytes);
    if (block) madvise(block, n_bytes, MADV_HUGEPAGE); /* a wish: no matter if it fails */
    return block;
}

void *eng_alloc_aligned(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2) return NULL;
    if (n_bytes >= 4 * (size_t)HUGE_PAGE_BYTES)
        return alloc_huge((n_bytes + HUGE_PAGE_BYTES - 1) & ~(size_t)(HUGE_PAGE_BYTES - 1));
    return aligned_alloc(ENG_ALIGN, eng_align_up(n_bytes ? n_bytes : 1));
}

bool eng_grow(void *array, size_t *capacity, size_t n, size_t bytes)
{
    if (n <= *capacity) return true;
    size_t wanted = *capacity <= SIZE_MAX / 2 && *capacity * 2 > n ? *capacity * 2 : n;
    if (wanted < 8) wanted = 8;
    size_t n_bytes;
    if (!eng_mul_size(wanted, bytes, &n_bytes)) return false;
    void *old; /* array points to a pointer of some type: copied, not cast */
    memcpy(&old, array, sizeof old);
    char *grown = realloc(old, n_bytes);
    if (!grown) return false;
    memset(grown + *capacity * bytes, 0, n_bytes - *capacity * bytes);
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}
