/* AVX2: products in 16 bits, which hold a byte times a byte, pairs of them summed into 32. */
#include "kernels/int8_kernels.h"

#include "kernels/vector.h"

#ifdef ENG_X86

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NAME   avx2
#define LEVEL  "avx2"
enum { LANES = 8, TILE_SUMS = 8, WIDEST = 2, PIXELS = 1 };

typedef __m256i quads;
typedef __m256 floats;

#define INTEL(operation) _mm256_##operation
#include "kernels/int8_x86.inc"

TARGET static inline quads load_bytes(const void *p)
{
    return _mm256_loadu_si256(p);
}

TARGET static inline quads load_first(const void *p, size_t n)
{
    uint8_t bytes[32] = {0};
    memcpy(bytes, p, n);
    return load_bytes(bytes);
}

TARGET static inline void store_bytes(void *p, quads v)
{
    _mm256_storeu_si256(p, v);
}

TARGET static inline void store_first(void *p, size_t n, quads v)
{
    uint8_t bytes[32];
    if (n == 16) {
        _mm_storeu_si128(p, _mm256_castsi256_si128(v));
        return;
    }
    store_bytes(bytes, v);
    memcpy(p, bytes, n);
}

TARGET static inline quads first(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TARGET static inline quads load_integers(const int32_t *p)
{
    return _mm256_loadu_si256((const void *)p);
}

TARGET static inline quads load_some_integers(const int32_t *p, size_t n)
{
    return _mm256_maskload_epi32(p, first(n));
}

TARGET static inline void store_some_integers(int32_t *p, size_t n, quads v)
{
    _mm256_maskstore_epi32(p, first(n), v);
}

TARGET static inline quads exclusive_or(quads a, quads b)
{
    return _mm256_xor_si256(a, b);
}

/*
 * sum + x w, x unsigned, w signed, four products to a sum. maddubs would keep two products in 16
 * bits, for which they are too large; so even and odd bytes are widened and multiplied apart.
 */
TARGET static inline quads dot(quads sum, quads x, quads w)
{
    quads x_even = _mm256_and_si256(x, _mm256_set1_epi16(0xff)), x_odd = _mm256_srli_epi16(x, 8);
    quads w_even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), w_odd = _mm256_srai_epi16(w, 8);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x_even, w_even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x_odd, w_odd));
}

/* --- floats --- */

TARGET static inline floats load_some_floats(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, first(n));
}

TARGET static inline void store_some_floats(float *p, size_t n, floats v)
{
    _mm256_maskstore_ps(p, first(n), v);
}

/* Whether all of x lie nearer to 0 than limit. */
TARGET static inline bool are_within(floats limit, floats x)
{
    floats size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
    return _mm256_movemask_ps(_mm256_cmp_ps(size, limit, _CMP_NLT_US)) == 0;
}

/* --- doubles for a register of integers --- */

typedef struct {
    __m256d first, last;
} factors;

TARGET static inline factors load_factors(const float *high, const float *low)
{
    factors f = {_mm256_cvtps_pd(_mm_loadu_ps(high)),
                 _mm256_cvtps_pd(_mm_loadu_ps(high + LANES / 2))};
    if (!low) return f;
    f.first = _mm256_add_pd(f.first, _mm256_cvtps_pd(_mm_loadu_ps(low)));
    f.last = _mm256_add_pd(f.last, _mm256_cvtps_pd(_mm_loadu_ps(low + LANES / 2)));
    return f;
}

TARGET static inline quads scale_exactly(quads v, factors factor, factors offset)
{
    __m256d first = _mm256_cvtepi32_pd(_mm256_castsi256_si128(v));
    __m256d last = _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1));
    first = _mm256_add_pd(_mm256_mul_pd(first, factor.first), offset.first);
    last = _mm256_add_pd(_mm256_mul_pd(last, factor.last), offset.last);
    return _mm256_set_m128i(_mm256_cvtpd_epi32(last), _mm256_cvtpd_epi32(first));
}

/* --- between bytes and integers --- */

/* Bytes of v[0], then of v[1] and so on, where narrow puts them lane by lane. */
TARGET static inline quads in_order(quads bytes)
{
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

TARGET static inline quads quarter_first(quads bytes, int quarter)
{
    switch (quarter) {
    case 1:
        return _mm256_permute4x64_epi64(bytes, 1);
    case 2:
        return _mm256_permute4x64_epi64(bytes, 0xe);
    case 3:
        return _mm256_permute4x64_epi64(bytes, 3);
    default:
        return bytes;
    }
}

TARGET static inline quads widen(const uint8_t *p, size_t n, uint32_t flip)
{
    int64_t eight = 0;
    memcpy(&eight, p, n < LANES ? n : LANES);
    __m128i bytes = _mm_cvtsi64_si128(eight);
    return _mm256_cvtepu8_epi32(_mm_xor_si128(bytes, _mm_set1_epi32((int32_t)flip)));
}

#include "kernels/int8_body.inc"

#endif
