#include "train/method.h"

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
