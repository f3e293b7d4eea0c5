/* Any CPU: the compiler's vectors of 4 floats (SSE2 and NEON registers). */
#include "kernels/vector.h"

#include <string.h>

#define TARGET
#define NAME portable
enum { LANES = 4, TILE_ROWS = 4 };

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

static inline float sum(vector v)
{
    return (v[0] + v[2]) + (v[1] + v[3]);
}

#include "kernels/vector_body.inc"
