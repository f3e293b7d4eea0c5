/* AVX-512 with VNNI: one instruction adds 64 products of bytes to 16 sums. */
#include "kernels/int8_kernels.h"

#include "kernels/vector.h"

#ifdef ENG_X86

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define NAME   vnni
#define LEVEL  "avx512"
enum { LANES = 16, TILE_SUMS = 24, WIDEST = 4, PIXELS = 4 };

typedef __m512i quads;
typedef __m512 floats;

#define INTEL(operation) _mm512_##operation
#include "kernels/int8_x86.inc"

TARGET static inline quads load_bytes(const void *p)
{
    return _mm512_loadu_si512(p);
}

TARGET static inline quads load_first(const void *p, size_t n)
{
    return _mm512_maskz_loadu_epi8(~(uint64_t)0 >> (64 - n), p);
}

TARGET static inline void store_bytes(void *p, quads v)
{
    _mm512_storeu_si512(p, v);
}

TARGET static inline void store_first(void *p, size_t n, quads v)
{
    _mm512_mask_storeu_epi8(p, ~(uint64_t)0 >> (64 - n), v);
}

TARGET static inline quads load_integers(const int32_t *p)
{
    return _mm512_loadu_si512(p);
}

TARGET static inline __mmask16 first(size_t n)
{
    return (__mmask16)((1u << n) - 1);
}

TARGET static inline quads load_some_integers(const int32_t *p, size_t n)
{
    return _mm512_maskz_loadu_epi32(first(n), p);
}

TARGET static inline void store_some_integers(int32_t *p, size_t n, quads v)
{
    _mm512_mask_storeu_epi32(p, first(n), v);
}

TARGET static inline quads exclusive_or(quads a, quads b)
{
    return _mm512_xor_si512(a, b);
}

/* sum + x w, x unsigned, w signed, four products to a sum. Of the intrinsic gcc 12 makes copies of
 * all sums in every step, which take as long as the products. */
TARGET static inline quads dot(quads sum, quads x, quads w)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "vm"(w));
    return sum;
}

/* --- floats --- */

TARGET static inline floats load_some_floats(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(first(n), p);
}

TARGET static inline void store_some_floats(float *p, size_t n, floats v)
{
    _mm512_mask_storeu_ps(p, first(n), v);
}

/* Whether all of x lie nearer to 0 than limit. */
TARGET static inline bool are_within(floats limit, floats x)
{
    return _mm512_cmp_ps_mask(_mm512_abs_ps(x), limit, _CMP_NLT_US) == 0;
}

/* --- doubles for a register of integers --- */

typedef struct {
    __m512d first, last;
} factors;

TARGET static inline factors load_factors(const float *high, const float *low)
{
    factors f = {_mm512_cvtps_pd(_mm256_loadu_ps(high)),
                 _mm512_cvtps_pd(_mm256_loadu_ps(high + LANES / 2))};
    if (!low) return f;
    f.first = _mm512_add_pd(f.first, _mm512_cvtps_pd(_mm256_loadu_ps(low)));
    f.last = _mm512_add_pd(f.last, _mm512_cvtps_pd(_mm256_loadu_ps(low + LANES / 2)));
    return f;
}

TARGET static inline quads scale_exactly(quads v, factors factor, factors offset)
{
    __m512d first = _mm512_cvtepi32_pd(_mm512_castsi512_si256(v));
    __m512d last = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64(v, 1));
    first = _mm512_add_pd(_mm512_mul_pd(first, factor.first), offset.first);
    last = _mm512_add_pd(_mm512_mul_pd(last, factor.last), offset.last);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtpd_epi32(first)),
                              _mm512_cvtpd_epi32(last), 1);
}

/* --- between bytes and integers --- */

/* Bytes of v[0], then of v[1] and so on, where narrow puts them lane by lane. */
TARGET static inline quads in_order(quads bytes)
{
    const quads order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, bytes);
}

TARGET static inline quads quarter_first(quads bytes, int quarter)
{
    switch (quarter) {
    case 1:
        return _mm512_shuffle_i32x4(bytes, bytes, 1);
    case 2:
        return _mm512_shuffle_i32x4(bytes, bytes, 0xe);
    case 3:
        return _mm512_shuffle_i32x4(bytes, bytes, 3);
    default:
        return bytes;
    }
}

TARGET static inline quads widen(const uint8_t *p, size_t n, uint32_t flip)
{
    __m128i bytes = _mm_maskz_loadu_epi8(first(n), p);
    return _mm512_cvtepu8_epi32(_mm_xor_si128(bytes, _mm_set1_epi32((int32_t)flip)));
}

#include "kernels/int8_body.inc"

#endif
