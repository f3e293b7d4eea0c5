#include "train/layer_names.h"

#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void eng_layer_names_fini(struct eng_layer_names *names)
{
    eng_names_fini(&names->taken);
    eng_names_fini(&names->numbers);
}

enum eng_status eng_layer_names_read(const struct eng_json_place *place, const json_t *entry,
                                     const char **name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-./";
    const json_t *value = json_object_get(entry, "name");
    *name = json_string_value(value);
    if (!value) return ENG_OK;
    size_t n = *name ? strlen(*name) : 0;
    if (n > 0 && n <= ENG_LAYER_NAME_BYTES && strspn(*name, letters) == n) return ENG_OK;
    return eng_json_fail(place, "name", value, "1 to 60 letters, digits and _ - . /");
}

enum eng_status eng_layer_names_take(struct eng_layer_names *names,
                                     const struct eng_json_place *place, const char *prefix,
                                     const char *name, const char **out)
{
    char full[ENG_LAYER_FULL_NAME_BYTES + 1];
    int n = snprintf(full, sizeof full, "%s%s", prefix, name);
    if (n < 0 || n > ENG_LAYER_FULL_NAME_BYTES)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: %s is called %s..., %d bytes with the groups around it; wanted at "
                        "most %d",
                        place->path, place->where, full, n, ENG_LAYER_FULL_NAME_BYTES);
    if (eng_names_find(&names->taken, full) >= 0)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: %s is called %s, as another one is; wanted a name of its own",
                        place->path, place->where, full);
    char *copy = eng_arena_string(place->arena, full, (size_t)n);
    if (!copy || !eng_names_put(&names->taken, copy, 0))
        return eng_fail_memory(place->err, "a layer's name");
    *out = copy;
    return ENG_OK;
}

enum eng_status eng_layer_names_number(struct eng_layer_names *names,
                                       const struct eng_json_place *place, const char *prefix,
                                       const char *op, const char **out)
{
    char full[2 * ENG_LAYER_FULL_NAME_BYTES + 24];
    int n = snprintf(full, sizeof full, "%s%.60s", prefix, op);
    size_t n_prefix = strlen(prefix);
    for (char *c = full + n_prefix; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    char *key = eng_arena_string(place->arena, full, (size_t)n);
    if (!key) return eng_fail_memory(place->err, "a layer's name");
    int number = eng_names_find(&names->numbers, key);
    if (number < 0) number = 0;
    do
        snprintf(full + n, sizeof full - (size_t)n, "%d", ++number);
    while (eng_names_find(&names->taken, full) >= 0);
    if (!eng_names_put(&names->numbers, key, number))
        return eng_fail_memory(place->err, "a layer's name");
    return eng_layer_names_take(names, place, prefix, full + n_prefix, out);
}
