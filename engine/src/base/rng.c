#include "base/rng.h"

#include <math.h>

static uint64_t rotate_left(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

/* splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* Seed and stream are both scrambled before they meet: neighbouring numbers share no sequence. */
void eng_rng_init(struct eng_rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t state = splitmix64(&seed);
    stream = ~stream;
    state ^= splitmix64(&stream);
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&state);
}

uint64_t eng_rng_u64(struct eng_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* The lowest 2^64 mod n numbers are thrown away; what is left divides evenly by n. */
uint64_t eng_rng_below(struct eng_rng *rng, uint64_t n)
{
    uint64_t n_excess = -n % n;
    uint64_t x;
    do
        x = eng_rng_u64(rng);
    while (x < n_excess);
    return x % n;
}

float eng_rng_float(struct eng_rng *rng)
{
    return (float)(eng_rng_u64(rng) >> 40) * 0x1p-24F;
}

/* In double, so that the float is the same whatever the last bit of a machine's log and cos. */
float eng_rng_normal(struct eng_rng *rng)
{
    double u = (double)((eng_rng_u64(rng) >> 11) + 1) * 0x1p-53; /* (0, 1] */
    double angle = 6.283185307179586 * (double)(eng_rng_u64(rng) >> 11) * 0x1p-53;
    return (float)(sqrt(-2.0 * log(u)) * cos(angle));
}

void eng_rng_shuffle(struct eng_rng *rng, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)eng_rng_below(rng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}
