/* Choices among kinds, each with a table of its own: losses, optimisers, schedules. */
#ifndef ENG_TRAIN_RECIPE_JSON_H
#define ENG_TRAIN_RECIPE_JSON_H

#include "base/json.h"
#include "train/kinds.h"

/* Purpose: the "kind" key (missing: the first kind), then the keys of that kind but for skip
 * (NULL: none), which the caller reads itself. */
enum eng_status eng_json_kind(const struct eng_json_place *place, const json_t *object,
                              const struct eng_kind *kinds, size_t n_kinds, const char *skip,
                              int *kind, void *base);

#endif
