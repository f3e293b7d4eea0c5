#include "base/arena.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Large blocks cost nothing where nothing is written, and lie on huge pages. */
enum { SMALL_ALIGN = 16, BLOCK_MIN_BYTES = 4096, BLOCK_MAX_BYTES = 32 << 20 };

/* The pieces follow the header, which fills one cache line. */
struct eng_arena_block {
    struct eng_arena_block *next;
    size_t capacity; /* bytes after the header */
    bool is_single;  /* one piece fills it */
};

_Static_assert(sizeof(struct eng_arena_block) <= ENG_ALIGN, "the header must fit its cache line");

void eng_arena_init(struct eng_arena *arena)
{
    *arena = (struct eng_arena){0};
}

void eng_arena_init_lasting(struct eng_arena *arena)
{
    *arena = (struct eng_arena){.lasts = true};
}

void eng_arena_fini(struct eng_arena *arena)
{
    for (struct eng_arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        eng_block_free(block, ENG_ALIGN + block->capacity);
    }
    *arena = (struct eng_arena){.lasts = arena->lasts};
}

static char *piece_at(struct eng_arena_block *block, size_t offset)
{
    return (char *)block + ENG_ALIGN + offset;
}

/* A new block with room for n_bytes; blocks grow with the arena so that their number stays small.
 */
static struct eng_arena_block *add_block(struct eng_arena *arena, size_t n_bytes)
{
    size_t capacity = arena->total_bytes < BLOCK_MAX_BYTES ? arena->total_bytes : BLOCK_MAX_BYTES;
    size_t least = arena->lasts ? ENG_BLOCK_PAGES_BYTES - ENG_ALIGN : BLOCK_MIN_BYTES;
    if (capacity < least) capacity = least;
    bool large = n_bytes > capacity / 2;
    if (large) capacity = n_bytes;
    struct eng_arena_block *block = eng_block_alloc(ENG_ALIGN + capacity);
    if (!block) return NULL;
    eng_block_wish_huge(block, ENG_ALIGN + capacity);
    block->capacity = capacity;
    block->is_single = large;
    arena->total_bytes += capacity;
    if (large && arena->head) { /* full at once: the head keeps what it has left */
        block->next = arena->head->next;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
        arena->used_bytes = 0;
    }
    return block;
}

void *eng_arena_alloc(struct eng_arena *arena, size_t n, size_t bytes)
{
    size_t n_bytes;
    if (!eng_mul_size(n, bytes, &n_bytes) || n_bytes > SIZE_MAX / 2) return NULL;
    size_t align = n_bytes >= ENG_ALIGN ? ENG_ALIGN : SMALL_ALIGN;
    n_bytes = (n_bytes + SMALL_ALIGN - 1) & ~(size_t)(SMALL_ALIGN - 1);
    struct eng_arena_block *block = arena->head;
    size_t offset = (arena->used_bytes + align - 1) & ~(align - 1);
    if (!block || offset > block->capacity || block->capacity - offset < n_bytes) {
        block = add_block(arena, n_bytes);
        if (!block) return NULL;
        offset = 0;
    }
    if (block == arena->head) arena->used_bytes = offset + n_bytes;
    return piece_at(block, offset);
}

bool eng_arena_move(struct eng_arena *from, const void *piece, struct eng_arena *to)
{
    struct eng_arena_block **link = &from->head, *block;
    while (*link && piece_at(*link, 0) != piece)
        link = &(*link)->next;
    block = *link;
    if (!block || !block->is_single) return false;
    if (block == from->head && block->next) from->used_bytes = block->next->capacity;
    *link = block->next;
    from->total_bytes -= block->capacity;
    to->total_bytes += block->capacity;
    if (!to->head) to->used_bytes = block->capacity;
    block->next = to->head ? to->head->next : NULL;
    *(to->head ? &to->head->next : &to->head) = block;
    return true;
}

void *eng_arena_copy(struct eng_arena *arena, const void *src, size_t n_bytes)
{
    void *copy = eng_arena_alloc(arena, n_bytes, 1);
    if (copy && n_bytes) memcpy(copy, src, n_bytes);
    return copy;
}

char *eng_arena_string(struct eng_arena *arena, const char *text, size_t n)
{
    size_t n_bytes;
    char *copy = eng_add_size(n, 1, &n_bytes) ? eng_arena_alloc(arena, n_bytes, 1) : NULL;
    if (copy && n) memcpy(copy, text, n);
    return copy;
}
