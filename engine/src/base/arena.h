/* A bump allocator: many small pieces that live and die together (a graph's names and nodes). */
#ifndef ENG_BASE_ARENA_H
#define ENG_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct eng_arena_block;

struct eng_arena {
    struct eng_arena_block *head;
    size_t used_bytes; /* in head */
    size_t total_bytes;
    bool lasts;
};

void eng_arena_init(struct eng_arena *arena);

/* Purpose: for what stays, such as a model's tables: every block has pages of its own, so that what
 * was allocated and freed around it leaves no holes behind in malloc's. */
void eng_arena_init_lasting(struct eng_arena *arena);

/* Purpose: frees every piece. */
void eng_arena_fini(struct eng_arena *arena);

/* Purpose: n x bytes, zeroed, aligned to ENG_ALIGN if that large, else to 16; NULL when out of
 * memory. */
void *eng_arena_alloc(struct eng_arena *arena, size_t n, size_t bytes);

/*
 * Purpose: moves a piece that has a block of its own, as large ones have, to another arena, where
 *          it stands. False, with nothing changed, for any other. Cost: a look at every block.
 */
bool eng_arena_move(struct eng_arena *from, const void *piece, struct eng_arena *to);

/* Purpose: a copy of n bytes. */
void *eng_arena_copy(struct eng_arena *arena, const void *src, size_t n_bytes);

/* Purpose: a NUL-terminated copy of the first n bytes of text. */
char *eng_arena_string(struct eng_arena *arena, const char *text, size_t n);

#endif
