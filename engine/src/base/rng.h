/* Random numbers: seeded, the same on every machine, cheap to split into independent streams. */
#ifndef ENG_BASE_RNG_H
#define ENG_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64. */
struct eng_rng {
    uint64_t s[4];
};

/* Purpose: stream number `stream` of the seed; different streams are independent. */
void eng_rng_init(struct eng_rng *rng, uint64_t seed, uint64_t stream);
uint64_t eng_rng_u64(struct eng_rng *rng);

/* Purpose: uniform in [0, n), without bias; n > 0. */
uint64_t eng_rng_below(struct eng_rng *rng, uint64_t n);

/* Purpose: uniform in [0, 1), 24 bits. */
float eng_rng_float(struct eng_rng *rng);

/* Purpose: normal, mean 0, variance 1 (Box-Muller). */
float eng_rng_normal(struct eng_rng *rng);

/* Purpose: a random order of 0..n-1 into order (Fisher-Yates). */
void eng_rng_shuffle(struct eng_rng *rng, uint32_t *order, size_t n);

#endif
