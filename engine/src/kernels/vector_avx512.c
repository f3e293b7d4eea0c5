/* AVX-512: 32 registers of 16 floats, masks for the tails. */
#include "kernels/vector.h"

#ifdef ENG_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define NAME   avx512
enum { LANES = 16, TILE_ROWS = 8, TILE_SUMS = 24 };

typedef __m512 vector;
typedef __mmask16 lane_mask;

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx512f");
}

TARGET static inline lane_mask first(int n)
{
    return (lane_mask)((1u << n) - 1);
}

TARGET static inline vector load(const float *p)
{
    return _mm512_loadu_ps(p);
}

TARGET static inline vector load_first(const float *p, lane_mask mask)
{
    return _mm512_maskz_loadu_ps(mask, p);
}

TARGET static inline void store_first(float *p, lane_mask mask, vector v)
{
    _mm512_mask_storeu_ps(p, mask, v);
}

TARGET static inline vector all(float x)
{
    return _mm512_set1_ps(x);
}

TARGET static inline vector multiply_add(vector a, vector b, vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

TARGET static inline vector add(vector a, vector b)
{
    return _mm512_add_ps(a, b);
}

TARGET static inline vector subtract(vector a, vector b)
{
    return _mm512_sub_ps(a, b);
}

TARGET static inline vector multiply(vector a, vector b)
{
    return _mm512_mul_ps(a, b);
}

TARGET static inline vector divide(vector a, vector b)
{
    return _mm512_div_ps(a, b);
}

/* 1 / v for v >= 1, within two units of the last place; from 2^126 on 0. A division takes as long
 * as ten products. */
TARGET static inline vector reciprocal(vector v)
{
    vector near = _mm512_rcp14_ps(v);
    __mmask16 is_normal = _mm512_cmp_ps_mask(v, all(0x1p126f), _CMP_NGE_UQ);
    return _mm512_maskz_fmadd_ps(is_normal, near, _mm512_fnmadd_ps(v, near, all(1)), near);
}

TARGET static inline vector magnitude(vector v)
{
    return _mm512_abs_ps(v);
}

TARGET static inline vector with_sign(vector v, vector sign)
{
    __m512i minus = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(_mm512_or_epi32(_mm512_andnot_epi32(minus, _mm512_castps_si512(v)),
                                               _mm512_and_epi32(minus, _mm512_castps_si512(sign))));
}

TARGET static inline vector where_less(vector a, vector b, vector yes, vector no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}

/* To the nearest whole number, |v| < 2^22: sums of this size have no fraction. */
TARGET static inline vector round_whole(vector v)
{
    vector large = all(0x1.8p23f);
    return subtract(add(v, large), large);
}

/* v times 2^n, n whole. */
TARGET static inline vector scale(vector v, vector n)
{
    return _mm512_scalef_ps(v, n);
}

TARGET static inline void store(float *p, vector v)
{
    _mm512_storeu_ps(p, v);
}

/* NaN in x stays NaN: max and min give their second operand then. */
TARGET static inline vector clamp(vector low, vector high, vector x)
{
    return _mm512_min_ps(high, _mm512_max_ps(low, x));
}

/* x where y > 0, else 0. */
TARGET static inline vector where_positive(vector y, vector x)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_GT_OQ), x);
}

/* dy where a == b (NaN equals nothing), else 0; and the other way round. */
TARGET static inline vector where_equal(vector a, vector b, vector dy)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ), dy);
}

TARGET static inline vector where_unequal(vector a, vector b, vector dy)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ), dy);
}

/* The larger one; NaN if either is. max gives its second operand if one is NaN. */
TARGET static inline vector larger(vector a, vector b)
{
    return _mm512_mask_mov_ps(_mm512_max_ps(b, a), _mm512_cmp_ps_mask(b, b, _CMP_UNORD_Q), b);
}

/* Element k of each `group` elements, in all of them. */
TARGET static inline vector spread(vector v, int group, int k)
{
    __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m512i start = _mm512_and_epi32(lane, _mm512_set1_epi32(-group));
    return _mm512_permutexvar_ps(_mm512_add_epi32(start, _mm512_set1_epi32(k)), v);
}

/* Elements 0, 2, 4 ... and 1, 3, 5 ... of a, then b; and back. */
TARGET static inline void separate(vector a, vector b, vector *even, vector *odd)
{
    __m512i index = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *even = _mm512_permutex2var_ps(a, index, b);
    *odd = _mm512_permutex2var_ps(a, _mm512_add_epi32(index, _mm512_set1_epi32(1)), b);
}

TARGET static inline void interleave(vector even, vector odd, vector *a, vector *b)
{
    __m512i index = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *a = _mm512_permutex2var_ps(even, index, odd);
    *b = _mm512_permutex2var_ps(even, _mm512_add_epi32(index, _mm512_set1_epi32(8)), odd);
}

TARGET static inline __m256 halves(vector v)
{
    return _mm256_add_ps(_mm512_castps512_ps256(v),
                         _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));
}

TARGET static inline float sum(vector v)
{
    __m256 half = halves(v);
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}

/* The sums of four vectors. */
TARGET static inline void sum_four(const vector *v, float *sums)
{
    __m256 four = _mm256_hadd_ps(_mm256_hadd_ps(halves(v[0]), halves(v[1])),
                                 _mm256_hadd_ps(halves(v[2]), halves(v[3])));
    _mm_storeu_ps(sums, _mm_add_ps(_mm256_castps256_ps128(four), _mm256_extractf128_ps(four, 1)));
}

/* A square of 4 x 4 within each 128-bit lane, then the lanes as a square of 4 x 4 themselves. */
TARGET static inline __attribute__((always_inline)) void transpose_lanes(vector rows[LANES])
{
    __m512d pairs[LANES];
    vector quads[LANES];
    UNROLL
    for (int i = 0; i < LANES; i += 2) {
        pairs[i] = _mm512_castps_pd(_mm512_unpacklo_ps(rows[i], rows[i + 1]));
        pairs[i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(rows[i], rows[i + 1]));
    }
    UNROLL
    for (int i = 0; i < LANES; i += 4)
        UNROLL
    for (int j = 0; j < 2; j++) {
        __m512d low = pairs[i + j], high = pairs[i + j + 2];
        quads[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
        quads[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        vector a = quads[i], b = quads[i + 4], c = quads[i + 8], d = quads[i + 12];
        vector ab_even = _mm512_shuffle_f32x4(a, b, 0x88),
               ab_odd = _mm512_shuffle_f32x4(a, b, 0xdd);
        vector cd_even = _mm512_shuffle_f32x4(c, d, 0x88),
               cd_odd = _mm512_shuffle_f32x4(c, d, 0xdd);
        rows[i] = _mm512_shuffle_f32x4(ab_even, cd_even, 0x88);
        rows[i + 8] = _mm512_shuffle_f32x4(ab_even, cd_even, 0xdd);
        rows[i + 4] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0x88);
        rows[i + 12] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0xdd);
    }
}

enum { INTEGER_ROWS = 4, INTEGER_COLUMNS = 2 };

#include "kernels/vector_integers_avx2.h"

#include "kernels/vector_body.inc"

#endif
