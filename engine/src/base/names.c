#include "base/names.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* name NULL: free. */
struct eng_names_slot {
    const char *name;
    int number;
};

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *name)
{
    uint64_t h = 14695981039346656037u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h;
}

/* The slot that holds name, or the free one where it would go. n_slots is a power of two. */
static struct eng_names_slot *probe(struct eng_names_slot *slots, size_t n_slots, const char *name)
{
    size_t i = (size_t)hash(name) & (n_slots - 1);
    while (slots[i].name && strcmp(slots[i].name, name) != 0)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

static bool grow(struct eng_names *names)
{
    size_t n_slots = names->n_slots ? names->n_slots * 2 : 64;
    struct eng_names_slot *slots = eng_calloc(n_slots, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < names->n_slots; i++)
        if (names->slots[i].name) *probe(slots, n_slots, names->slots[i].name) = names->slots[i];
    free(names->slots);
    names->slots = slots;
    names->n_slots = n_slots;
    return true;
}

void eng_names_fini(struct eng_names *names)
{
    free(names->slots);
    *names = (struct eng_names){0};
}

int eng_names_find(const struct eng_names *names, const char *name)
{
    if (!names->n_slots) return -1;
    const struct eng_names_slot *slot = probe(names->slots, names->n_slots, name);
    return slot->name ? slot->number : -1;
}

bool eng_names_put(struct eng_names *names, const char *name, int number)
{
    if (names->n_used * 2 >= names->n_slots && !grow(names)) return false;
    struct eng_names_slot *slot = probe(names->slots, names->n_slots, name);
    if (!slot->name) names->n_used++;
    *slot = (struct eng_names_slot){.name = name, .number = number};
    return true;
}
