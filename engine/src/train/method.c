#include "train/method.h"

#include <string.h>

#define METHOD(name) extern const struct eng_method eng_method_##name;
#include "train/method.def"
#undef METHOD

const char *const eng_method_names[] = {
#define METHOD(name) #name,
#include "train/method.def"
#undef METHOD
    NULL,
};

static const struct eng_method *const methods[] = {
#define METHOD(name) &eng_method_##name,
#include "train/method.def"
#undef METHOD
};

const struct eng_method *eng_method_at(int method)
{
    return methods[method];
}

static bool is_listed(const char *const *keys, const char *key)
{
    for (size_t i = 0; keys && keys[i]; i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

bool eng_method_takes(int method, const char *key)
{
    static const char *const common[] = {"name",   "description", "method",    "labels", "seed",
                                         "golden", "input",       "variables", NULL};
    const struct eng_method *own = methods[method];
    if (is_listed(common, key) || is_listed(own->keys, key)) return true;
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        if (strcmp(eng_dataset_keys[i], key) == 0) return true;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (is_listed(methods[i]->keys, key)) return false;
    return own->keys == NULL;
}
