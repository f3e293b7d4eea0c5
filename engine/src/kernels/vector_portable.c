/* Any CPU: the compiler's vectors of 4 floats (SSE2 and NEON registers). */
#include "kernels/vector.h"

#include <string.h>

#define TARGET
#define NAME portable
enum { LANES = 4, TILE_ROWS = 4, TILE_SUMS = 12 };

typedef float vector __attribute__((vector_size(16)));
typedef int bits __attribute__((vector_size(16)));
typedef int lane_mask;

static bool runs_here(void)
{
    return true;
}

static inline lane_mask first(int n)
{
    return n;
}

static inline vector load(const float *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline vector load_first(const float *p, lane_mask n)
{
    if (n == LANES) return load(p);
    vector v = {0};
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}

static inline void store_first(float *p, lane_mask n, vector v)
{
    if (n == LANES)
        memcpy(p, &v, sizeof v);
    else
        for (int i = 0; i < n; i++)
            p[i] = v[i];
}

static inline vector all(float x)
{
    return (vector){x, x, x, x};
}

static inline vector multiply_add(vector a, vector b, vector c)
{
    return a * b + c;
}

static inline vector add(vector a, vector b)
{
    return a + b;
}

static inline vector subtract(vector a, vector b)
{
    return a - b;
}

static inline vector multiply(vector a, vector b)
{
    return a * b;
}

static inline vector divide(vector a, vector b)
{
    return a / b;
}

static inline vector reciprocal(vector v)
{
    return all(1) / v;
}

static inline vector magnitude(vector v)
{
    return (vector)((bits)v & 0x7fffffff);
}

static inline vector with_sign(vector v, vector sign)
{
    return (vector)(((bits)v & 0x7fffffff) | ((bits)sign & ~0x7fffffff));
}

/* To the nearest whole number, |v| < 2^22: sums of this size have no fraction. */
static inline vector round_whole(vector v)
{
    return (v + 0x1.8p23f) - 0x1.8p23f;
}

/* v times 2^n, n whole and -250 to 250; in two steps, for 2^n need not be a normal number. */
static inline vector scale(vector v, vector n)
{
    vector half = round_whole(n * 0.5f), rest = n - half;
    bits low = __builtin_convertvector(half, bits), high = __builtin_convertvector(rest, bits);
    return v * (vector)((low + 127) << 23) * (vector)((high + 127) << 23);
}

static inline void store(float *p, vector v)
{
    memcpy(p, &v, sizeof v);
}

static inline void transpose_lanes(vector rows[LANES])
{
    for (int i = 0; i < LANES; i++)
        for (int j = 0; j < i; j++) {
            float above = rows[j][i];
            rows[j][i] = rows[i][j];
            rows[i][j] = above;
        }
}

static inline vector choose(bits which, vector yes, vector no)
{
    return (vector)((which & (bits)yes) | (~which & (bits)no));
}

static inline vector where_less(vector a, vector b, vector yes, vector no)
{
    return choose(a < b, yes, no);
}

/* NaN in x stays NaN: it is neither below nor above. */
static inline vector clamp(vector low, vector high, vector x)
{
    x = choose(x < low, low, x);
    return choose(x > high, high, x);
}

/* x where y > 0, else 0. */
static inline vector where_positive(vector y, vector x)
{
    return (vector)((y > 0) & (bits)x);
}

/* dy where a == b (NaN equals nothing), else 0; and the other way round. */
static inline vector where_equal(vector a, vector b, vector dy)
{
    return (vector)((a == b) & (bits)dy);
}

static inline vector where_unequal(vector a, vector b, vector dy)
{
    return (vector)((a != b) & (bits)dy);
}

/* The larger one; NaN if either is. */
static inline vector larger(vector a, vector b)
{
    return choose((b <= a) | (a != a), a, b);
}

/* Element k of each `group` elements, in all of them. */
static inline vector spread(vector v, int group, int k)
{
    vector out;
    for (int i = 0; i < LANES; i++)
        out[i] = v[i / group * group + k];
    return out;
}

/* Elements 0, 2, 4 ... and 1, 3, 5 ... of a, then b; and back. */
static inline void separate(vector a, vector b, vector *even, vector *odd)
{
    *even = (vector){a[0], a[2], b[0], b[2]};
    *odd = (vector){a[1], a[3], b[1], b[3]};
}

static inline void interleave(vector even, vector odd, vector *a, vector *b)
{
    *a = (vector){even[0], odd[0], even[1], odd[1]};
    *b = (vector){even[2], odd[2], even[3], odd[3]};
}

static inline float sum(vector v)
{
    return (v[0] + v[2]) + (v[1] + v[3]);
}

/* The sums of four vectors. */
static inline void sum_four(const vector *v, float *sums)
{
    for (int i = 0; i < 4; i++)
        sums[i] = sum(v[i]);
}

enum { PAIR_LANES = 8, INTEGER_ROWS = 4, INTEGER_COLUMNS = 2 };

typedef int32_t integers __attribute__((vector_size(16)));
typedef int16_t shorts __attribute__((vector_size(8)));

static inline integers no_integers(void)
{
    return (integers){0};
}

static inline integers widen(const int16_t *p)
{
    shorts v;
    memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, integers);
}

static inline integers multiply_pairs(const int16_t *a, const int16_t *b, integers sum)
{
    return sum + widen(a) * widen(b) + widen(a + 4) * widen(b + 4);
}

static inline int32_t sum_integers(integers v)
{
    return (v[0] + v[2]) + (v[1] + v[3]);
}

#include "kernels/vector_body.inc"
