/* AVX2 with FMA: 16 registers of 8 floats. */
#include "kernels/vector.h"

#ifdef ENG_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NAME   avx2
enum { LANES = 8, TILE_ROWS = 4, TILE_SUMS = 12 };

typedef __m256 vector;
typedef __m256i lane_mask;

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

TARGET static inline lane_mask first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TARGET static inline vector load(const float *p)
{
    return _mm256_loadu_ps(p);
}

TARGET static inline vector load_first(const float *p, lane_mask mask)
{
    return _mm256_maskload_ps(p, mask);
}

TARGET static inline void store_first(float *p, lane_mask mask, vector v)
{
    _mm256_maskstore_ps(p, mask, v);
}

TARGET static inline vector all(float x)
{
    return _mm256_set1_ps(x);
}

TARGET static inline vector multiply_add(vector a, vector b, vector c)
{
    return _mm256_fmadd_ps(a, b, c);
}

TARGET static inline vector add(vector a, vector b)
{
    return _mm256_add_ps(a, b);
}

TARGET static inline vector subtract(vector a, vector b)
{
    return _mm256_sub_ps(a, b);
}

TARGET static inline vector multiply(vector a, vector b)
{
    return _mm256_mul_ps(a, b);
}

TARGET static inline vector divide(vector a, vector b)
{
    return _mm256_div_ps(a, b);
}

TARGET static inline vector reciprocal(vector v)
{
    return _mm256_div_ps(all(1), v);
}

TARGET static inline vector magnitude(vector v)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v);
}

TARGET static inline vector with_sign(vector v, vector sign)
{
    vector minus = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(minus, v), _mm256_and_ps(minus, sign));
}

TARGET static inline vector where_less(vector a, vector b, vector yes, vector no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

TARGET static inline vector round_whole(vector v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* v times 2^n, n whole and -250 to 250; in two steps, for 2^n need not be a normal number. */
TARGET static inline vector scale(vector v, vector n)
{
    __m256i one = _mm256_set1_epi32(127), whole = _mm256_cvtps_epi32(n);
    __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    __m256i low = _mm256_slli_epi32(_mm256_add_epi32(half, one), 23);
    __m256i high = _mm256_slli_epi32(_mm256_add_epi32(rest, one), 23);
    return _mm256_mul_ps(_mm256_mul_ps(v, _mm256_castsi256_ps(low)), _mm256_castsi256_ps(high));
}

TARGET static inline void store(float *p, vector v)
{
    _mm256_storeu_ps(p, v);
}

/* NaN in x stays NaN: max and min give their second operand then. */
TARGET static inline vector clamp(vector low, vector high, vector x)
{
    return _mm256_min_ps(high, _mm256_max_ps(low, x));
}

/* x where y > 0, else 0. */
TARGET static inline vector where_positive(vector y, vector x)
{
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ), x);
}

/* dy where a == b (NaN equals nothing), else 0; and the other way round. */
TARGET static inline vector where_equal(vector a, vector b, vector dy)
{
    return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ), dy);
}

TARGET static inline vector where_unequal(vector a, vector b, vector dy)
{
    return _mm256_and_ps(_mm256_cmp_ps(a, b, _CMP_NEQ_UQ), dy);
}

/* The larger one; NaN if either is. max gives its second operand if one is NaN. */
TARGET static inline vector larger(vector a, vector b)
{
    return _mm256_blendv_ps(_mm256_max_ps(b, a), b, _mm256_cmp_ps(b, b, _CMP_UNORD_Q));
}

/* Element k of each `group` elements, in all of them. */
TARGET static inline vector spread(vector v, int group, int k)
{
    __m256i start =
        _mm256_and_si256(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(-group));
    return _mm256_permutevar8x32_ps(v, _mm256_add_epi32(start, _mm256_set1_epi32(k)));
}

/* Elements 0, 2, 4 ... and 1, 3, 5 ... of a, then b; and back. */
TARGET static inline void separate(vector a, vector b, vector *even, vector *odd)
{
    vector low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
    *even = _mm256_shuffle_ps(low, high, 0x88);
    *odd = _mm256_shuffle_ps(low, high, 0xdd);
}

TARGET static inline void interleave(vector even, vector odd, vector *a, vector *b)
{
    vector low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    *a = _mm256_permute2f128_ps(low, high, 0x20);
    *b = _mm256_permute2f128_ps(low, high, 0x31);
}

TARGET static inline float sum(vector v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

/* The sums of four vectors. */
TARGET static inline void sum_four(const vector *v, float *sums)
{
    vector four = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    _mm_storeu_ps(sums, _mm_add_ps(_mm256_castps256_ps128(four), _mm256_extractf128_ps(four, 1)));
}

/* A square of 4 x 4 within each 128-bit lane, then the lanes as a square of 2 x 2. */
TARGET static inline __attribute__((always_inline)) void transpose_lanes(vector rows[LANES])
{
    __m256d pairs[LANES];
    vector quads[LANES];
    UNROLL
    for (int i = 0; i < LANES; i += 2) {
        pairs[i] = _mm256_castps_pd(_mm256_unpacklo_ps(rows[i], rows[i + 1]));
        pairs[i + 1] = _mm256_castps_pd(_mm256_unpackhi_ps(rows[i], rows[i + 1]));
    }
    UNROLL
    for (int i = 0; i < LANES; i += 4)
        UNROLL
    for (int j = 0; j < 2; j++) {
        __m256d low = pairs[i + j], high = pairs[i + j + 2];
        quads[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
        quads[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(quads[i], quads[i + 4], 0x31);
    }
}

enum { INTEGER_ROWS = 4, INTEGER_COLUMNS = 2 };

#include "kernels/vector_integers_avx2.h"

#include "kernels/vector_body.inc"

#endif
