/* Names to numbers: a hash table over strings that the caller keeps alive. */
#ifndef ENG_BASE_NAMES_H
#define ENG_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct eng_names {
    struct eng_names_slot *slots;
    size_t n_slots, n_used;
};

void eng_names_fini(struct eng_names *names);

/* Purpose: the number stored under name, or -1. */
int eng_names_find(const struct eng_names *names, const char *name);

/* Purpose: stores number (>= 0) under name, over an older one. False: out of memory. */
bool eng_names_put(struct eng_names *names, const char *name, int number);

#endif
