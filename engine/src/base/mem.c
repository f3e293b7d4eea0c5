#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

void *eng_calloc(size_t n, size_t bytes)
{
    size_t n_bytes;
    if (!eng_mul_size(n, bytes, &n_bytes)) return NULL;
    return calloc(1, n_bytes ? n_bytes : 1);
}

static size_t align_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* Large blocks lie on huge pages where the kernel has them: weights of 100 MB then cost 50 page
 * faults instead of 25,000, which take longer than everything else that is done with them. */
static bool is_large(size_t n_bytes)
{
    return n_bytes >= HUGE_PAGE_BYTES;
}

/* The end of a block, less than a huge page, keeps small ones: it may be little. */
static void wish_huge(void *at, size_t n_bytes)
{
    madvise(at, n_bytes & ~(size_t)(HUGE_PAGE_BYTES - 1), MADV_HUGEPAGE); /* it may fail */
}

void *eng_alloc_aligned(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2) return NULL;
    if (!is_large(n_bytes)) return aligned_alloc(ENG_ALIGN, eng_align_up(n_bytes ? n_bytes : 1));
    void *block = aligned_alloc(HUGE_PAGE_BYTES, align_up(n_bytes, HUGE_PAGE_BYTES));
    if (block) wish_huge(block, n_bytes);
    return block;
}

void *eng_calloc_aligned(size_t n_bytes, void **block)
{
    if (n_bytes > SIZE_MAX / 2) return NULL;
    size_t align = is_large(n_bytes) ? HUGE_PAGE_BYTES : ENG_ALIGN;
    char *raw = calloc(1, align_up(n_bytes, align) + align);
    if (!raw) return NULL;
    char *at = raw + (align_up((uintptr_t)raw, align) - (uintptr_t)raw);
    if (is_large(n_bytes)) wish_huge(at, n_bytes);
    *block = raw;
    return at;
}

void eng_forget(void *bytes, size_t n_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)bytes, first = align_up(begin, page);
    uintptr_t end = (begin + n_bytes) & ~(page - 1);
    if (end > first) madvise((char *)bytes + (first - begin), end - first, MADV_DONTNEED);
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
