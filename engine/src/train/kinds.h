/* A part of a recipe that comes in several kinds, each with keys of its own ("optimiser", "loss").
 */
#ifndef ENG_TRAIN_KINDS_H
#define ENG_TRAIN_KINDS_H

#include "base/fields.h"

#include <stddef.h>

/* One kind: the value of the part's "kind" key, and the other keys that go with it. */
struct eng_kind {
    const char *name;
    const struct eng_field *fields;
    size_t n_fields;
};

#define ENG_KIND(text, rows)                                                    \
    {                                                                           \
        .name = text, .fields = rows, .n_fields = sizeof(rows) / sizeof *(rows) \
    }

#endif
