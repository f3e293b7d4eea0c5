/* Names of a recipe's layers: their own, or the operator and a number. No two are alike. */
#ifndef ENG_TRAIN_LAYER_NAMES_H
#define ENG_TRAIN_LAYER_NAMES_H

#include "base/json.h"
#include "base/names.h"

enum {
    ENG_LAYER_NAME_BYTES = 60,       /* of a "name" */
    ENG_LAYER_FULL_NAME_BYTES = 120, /* with those of the groups around it */
};

/* Zeroed to begin with; end with eng_layer_names_fini. */
struct eng_layer_names {
    struct eng_names taken;
    struct eng_names numbers; /* the last one of each operator behind each prefix */
};

void eng_layer_names_fini(struct eng_layer_names *names);

/* Purpose: an entry's "name", or NULL if it has none. */
enum eng_status eng_layer_names_read(const struct eng_json_place *place, const json_t *entry,
                                     const char **name);

/* Purpose: takes prefix + name. Ownership: the place's arena. Errors: FORMAT: taken, too long. */
enum eng_status eng_layer_names_take(struct eng_layer_names *names,
                                     const struct eng_json_place *place, const char *prefix,
                                     const char *name, const char **out);

/* Purpose: takes the next free one of "conv1", "conv2" ... behind the prefix. */
enum eng_status eng_layer_names_number(struct eng_layer_names *names,
                                       const struct eng_json_place *place, const char *prefix,
                                       const char *op, const char **out);

#endif
