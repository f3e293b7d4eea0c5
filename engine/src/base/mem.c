#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE_BYTES = 2 << 20 };

/* Sanitizers watch the bounds of what malloc gives. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_PAGES_BYTES SIZE_MAX
#else
#define OWN_PAGES_BYTES ((size_t)ENG_BLOCK_PAGES_BYTES)
#endif

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

void *eng_alloc_aligned(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2) return NULL;
    return aligned_alloc(ENG_ALIGN, eng_align_up(n_bytes ? n_bytes : 1));
}

/* ---- blocks ---- */

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Of whole pages, on the border of a huge one if there is room for such. Some systems give those
 * unasked: then a byte that is written takes 2 MiB. */
static void *map_pages(size_t n_bytes)
{
    size_t n = align_up(n_bytes, page_bytes());
    size_t spare = n_bytes >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : 0;
    char *raw = mmap(NULL, n + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return NULL;
    if (spare == 0) return raw;
    size_t before = align_up((uintptr_t)raw, HUGE_PAGE_BYTES) - (uintptr_t)raw;
    if (before > 0) munmap(raw, before);
    if (spare > before) munmap(raw + before + n, spare - before);
    madvise(raw + before, n, MADV_NOHUGEPAGE); /* fails where there are none */
    return raw + before;
}

void *eng_block_alloc(size_t n_bytes)
{
    if (n_bytes > SIZE_MAX / 2) return NULL;
    if (n_bytes >= OWN_PAGES_BYTES) return map_pages(n_bytes);
    void *block = eng_alloc_aligned(n_bytes);
    if (block) memset(block, 0, n_bytes);
    return block;
}

void eng_block_free(void *block, size_t n_bytes)
{
    if (!block) return;
    if (n_bytes >= OWN_PAGES_BYTES)
        munmap(block, align_up(n_bytes, page_bytes()));
    else
        free(block);
}

/* The end, less than a huge page, keeps small ones: it may be little. */
void eng_block_wish_huge(void *block, size_t n_bytes)
{
    size_t n = n_bytes & ~(size_t)(HUGE_PAGE_BYTES - 1);
    if (n > 0) madvise(block, n, MADV_HUGEPAGE); /* it may fail: they are a wish */
}

void eng_forget(void *bytes, size_t n_bytes)
{
    size_t page = page_bytes();
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
