/* Any CPU: the compiler's vectors of 16 bytes (SSE2 and NEON registers), little-endian as ours. */
#include "kernels/int8_kernels.h"

#include "kernels/vector.h"

#include <string.h>

#define TARGET
#define NAME  portable
#define LEVEL "portable"
enum { LANES = 4, TILE_SUMS = 8, WIDEST = 2, PIXELS = 1 };

typedef int32_t quads __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(16)));
typedef int16_t pairs __attribute__((vector_size(16)));
typedef uint16_t unsigned_pairs __attribute__((vector_size(16)));
typedef uint8_t byte_lanes __attribute__((vector_size(16)));

static inline quads all_integers(int32_t x)
{
    return (quads){x, x, x, x};
}

static inline quads load_bytes(const void *p)
{
    quads v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline quads load_first(const void *p, size_t n)
{
    quads v = {0};
    memcpy(&v, p, n);
    return v;
}

static inline void store_bytes(void *p, quads v)
{
    memcpy(p, &v, sizeof v);
}

static inline void store_first(void *p, size_t n, quads v)
{
    memcpy(p, &v, n);
}

static inline quads load_integers(const int32_t *p)
{
    return load_bytes(p);
}

static inline quads load_some_integers(const int32_t *p, size_t n)
{
    return load_first(p, n * sizeof *p);
}

static inline void store_some_integers(int32_t *p, size_t n, quads v)
{
    store_first(p, n * sizeof *p, v);
}

static inline quads add_integers(quads a, quads b)
{
    return a + b;
}

static inline quads exclusive_or(quads a, quads b)
{
    return a ^ b;
}

static inline quads all_bytes(uint8_t x)
{
    return all_integers((int32_t)(x * 0x01010101u));
}

static inline quads larger_bytes(quads a, quads b)
{
    byte_lanes x = (byte_lanes)a, y = (byte_lanes)b, is_larger = (byte_lanes)(x > y);
    return (quads)((x & is_larger) | (y & ~is_larger));
}

static inline quads smaller_bytes(quads a, quads b)
{
    return ~larger_bytes(~a, ~b);
}

/* Two products of an unsigned and a signed byte, each in 16 bits, where they fit, summed in 32. */
static inline quads add_products(quads sum, pairs x, pairs w)
{
    quads products = (quads)(x * w);
    return sum + (quads)((products << 16) >> 16) + (products >> 16);
}

/* sum + x w, x unsigned, w signed, four products to a sum. */
static inline quads dot(quads sum, quads x, quads w)
{
    pairs x_even = (pairs)x & 0xff, x_odd = (pairs)((unsigned_pairs)x >> 8);
    pairs w_even = (pairs)((unsigned_pairs)w << 8) >> 8, w_odd = (pairs)w >> 8;
    return add_products(add_products(sum, x_even, w_even), x_odd, w_odd);
}

/* --- floats --- */

static inline floats all_floats(float x)
{
    return (floats){x, x, x, x};
}

static inline floats load_floats(const float *p)
{
    floats v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline floats load_some_floats(const float *p, size_t n)
{
    floats v = {0};
    memcpy(&v, p, n * sizeof *p);
    return v;
}

static inline void store_some_floats(float *p, size_t n, floats v)
{
    memcpy(p, &v, n * sizeof *p);
}

static inline floats to_floats(quads v)
{
    return __builtin_convertvector(v, floats);
}

/* To the nearest, halves to even, |v| < 2^22: sums of this size have no fraction. Larger ones stay
 * as large but for a few units. */
static inline quads round_floats(floats v)
{
    floats large = all_floats(0x1.8p23f);
    return __builtin_convertvector((v + large) - large, quads);
}

static inline floats add_floats(floats a, floats b)
{
    return a + b;
}

static inline floats subtract_floats(floats a, floats b)
{
    return a - b;
}

static inline floats multiply_floats(floats a, floats b)
{
    return a * b;
}

static inline floats multiply_add(floats a, floats b, floats c)
{
    return a * b + c;
}

/* Whether all of x lie nearer to 0 than limit. */
static inline bool are_within(floats limit, floats x)
{
    quads within = (x < limit) & (-x < limit);
    return (within[0] & within[1] & within[2] & within[3]) != 0;
}

static inline floats divide_floats(floats a, floats b)
{
    return a / b;
}

/* --- doubles for a register of integers --- */

typedef struct {
    double lane[LANES];
} factors;

static inline factors load_factors(const float *high, const float *low)
{
    factors f;
    for (int i = 0; i < LANES; i++)
        f.lane[i] = (double)high[i] + (low ? (double)low[i] : 0);
    return f;
}

/* To the nearest, halves to even. */
static inline quads scale_exactly(quads v, factors factor, factors offset)
{
    for (int i = 0; i < LANES; i++)
        v[i] = (int32_t)(((double)v[i] * factor.lane[i] + offset.lane[i] + 0x1.8p52) - 0x1.8p52);
    return v;
}

static inline quads choose(quads which, quads yes, quads no)
{
    return (yes & which) | (no & ~which);
}

static inline floats choose_floats(quads which, floats yes, floats no)
{
    return (floats)choose(which, (quads)yes, (quads)no);
}

static inline floats smaller_floats(floats a, floats b)
{
    return choose_floats(a < b, a, b);
}

/* NaN as low. */
static inline floats clamp_floats(floats low, floats high, floats x)
{
    x = choose_floats(x > low, x, low);
    return choose_floats(x < high, x, high);
}

/* --- between bytes and integers --- */

#define SHUFFLE(type, ...) (quads) __builtin_shufflevector((type)a, (type)b, __VA_ARGS__)

static inline quads low_bytes(quads a, quads b)
{
    return SHUFFLE(byte_lanes, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline quads high_bytes(quads a, quads b)
{
    return SHUFFLE(byte_lanes, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

static inline quads low_pairs(quads a, quads b)
{
    return SHUFFLE(pairs, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline quads high_pairs(quads a, quads b)
{
    return SHUFFLE(pairs, 4, 12, 5, 13, 6, 14, 7, 15);
}

static inline quads even_pairs(quads a, quads b)
{
    return SHUFFLE(pairs, 0, 2, 4, 6, 8, 10, 12, 14);
}

static inline quads even_bytes(quads a, quads b)
{
    return SHUFFLE(byte_lanes, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

static inline quads cut(quads v)
{
    quads most = all_integers(UINT8_MAX);
    v = choose(v < most, v, most);
    return v & (v > 0);
}

/* Whole numbers plus zero, cut to 0 .. 255; undoes low_bytes, low_pairs and so on. */
static inline quads narrow(const quads v[4], int32_t zero)
{
    quads shift = all_integers(zero), cuts[4];
    for (int k = 0; k < 4; k++)
        cuts[k] = cut(v[k] + shift);
    return even_bytes(even_pairs(cuts[0], cuts[1]), even_pairs(cuts[2], cuts[3]));
}

/* With one lane there is nothing to bring in order. */
static inline quads in_order(quads v)
{
    return v;
}

static inline quads quarter_first(quads v, int quarter)
{
    return (quads){v[quarter], v[(quarter + 1) & 3], v[(quarter + 2) & 3], v[(quarter + 3) & 3]};
}

static inline quads widen(const uint8_t *p, size_t n, uint32_t flip)
{
    quads none = {0}, v = load_first(p, n < LANES ? n : LANES) ^ all_integers((int32_t)flip);
    return low_pairs(low_bytes(v, none), none);
}

#include "kernels/int8_body.inc"
