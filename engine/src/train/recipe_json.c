#include "train/recipe_json.h"

#include <stdio.h>
#include <string.h>

static enum eng_status fail_kind(const struct eng_json_place *place, const json_t *value,
                                 const struct eng_kind *kinds, size_t n_kinds)
{
    char wanted[200];
    size_t used = 0;
    for (size_t i = 0; i < n_kinds && used < sizeof wanted; i++)
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s\"%s\"", i ? " or " : "",
                                 kinds[i].name);
    return eng_json_fail(place, "kind", value, wanted);
}

enum eng_status eng_json_kind(const struct eng_json_place *place, const json_t *object,
                              const struct eng_kind *kinds, size_t n_kinds, const char *skip,
                              int *kind, void *base)
{
    const char *const skips[] = {"kind", skip, NULL};
    const json_t *name = json_object_get(object, "kind");
    size_t i = 0;
    if (name)
        while (i < n_kinds &&
               !(json_is_string(name) && strcmp(json_string_value(name), kinds[i].name) == 0))
            i++;
    if (i == n_kinds) return fail_kind(place, name, kinds, n_kinds);
    *kind = (int)i;
    return eng_json_fields(place, object, kinds[i].fields, kinds[i].n_fields, skips, base);
}
