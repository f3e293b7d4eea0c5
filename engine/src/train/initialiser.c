#include "train/initialiser.h"

#include <math.h>

enum distribution { NORMAL, UNIFORM };

const char *const eng_initialiser_names[] = {
#define INITIALISER(name, distribution, scale) #name,
#include "train/initialiser.def"
#undef INITIALISER
    NULL,
};

static const enum distribution distributions[] = {
#define INITIALISER(name, distribution, scale) distribution,
#include "train/initialiser.def"
#undef INITIALISER
};

void eng_initialiser_fill(int kind, double given, double fan_in, double fan_out,
                          struct eng_rng *rng, float *weights, size_t n)
{
    const double scales[] = {
#define INITIALISER(name, distribution, scale) scale,
#include "train/initialiser.def"
#undef INITIALISER
    };
    float scale = (float)scales[kind];
    for (size_t i = 0; i < n; i++)
        weights[i] = scale * (distributions[kind] == NORMAL ? eng_rng_normal(rng)
                                                            : 2 * eng_rng_float(rng) - 1);
}
