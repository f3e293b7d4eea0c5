/* Checked sizes and allocation. Memory comes zeroed, and free() ends it, unless said otherwise. */
#ifndef ENG_BASE_MEM_H
#define ENG_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENG_ALIGN = 64 }; /* a cache line, and one AVX-512 register */

enum { ENG_BLOCK_PAGES_BYTES = 32 << 10 }; /* from here on a block has pages of its own */

/* A block and its size. */
struct eng_memory {
    void *bytes; /* NULL: none */
    size_t n_bytes;
};

static inline bool eng_memory_holds(const struct eng_memory *memory, const void *at)
{
    uintptr_t begin = (uintptr_t)memory->bytes, found = (uintptr_t)at;
    return found >= begin && found - begin < memory->n_bytes;
}

/* Purpose: *out = a * b; false (and *out untouched) on overflow. */
static inline bool eng_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *out = product;
    return true;
}

static inline bool eng_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *out = sum;
    return true;
}

/* Purpose: rounds up to a multiple of ENG_ALIGN. n must lie well below SIZE_MAX. */
static inline size_t eng_align_up(size_t n)
{
    return (n + ENG_ALIGN - 1) & ~(size_t)(ENG_ALIGN - 1);
}

/* Purpose: n x bytes of zeroed memory, NULL on overflow or exhaustion; n = 0 gives one byte. */
void *eng_calloc(size_t n, size_t bytes);

/* Purpose: n bytes aligned to ENG_ALIGN, not zeroed; at least one cache line. */
void *eng_alloc_aligned(size_t n_bytes);

/*
 * Purpose: a block of n bytes for what a model or a session keeps, aligned to ENG_ALIGN; at least
 *          one cache line. From ENG_BLOCK_PAGES_BYTES on what nobody writes to takes nothing, and
 * all of it goes back to the system when it ends, whatever malloc has learned from others.
 * Ownership: eng_block_free with the same n_bytes ends it; NULL is nothing.
 */
void *eng_block_alloc(size_t n_bytes);
void eng_block_free(void *block, size_t n_bytes);

/* Purpose: asks for huge pages where the block's first n bytes fill such: 100 MB of weights then
 * cost 50 page faults instead of 25,000, which take longer than all else that is done with them.
 * Nothing else of a block lies on such. */
void eng_block_wish_huge(void *block, size_t n_bytes);

/* Purpose: gives whole pages of n allocated bytes back to the system: they hold nothing afterwards,
 * and still are the caller's to free. */
void eng_forget(void *bytes, size_t n_bytes);

/* Purpose: grows *array (elements of bytes each) to hold n, doubling. False: out of memory,
 * untouched. */
bool eng_grow(void *array, size_t *capacity, size_t n, size_t bytes);

#endif
