/* What vector_integers.inc wants, in registers of 256 bits: AVX-512 too has no wider product of
 * 16-bit integers without a further extension. TARGET is the including file's. */
#ifndef ENG_KERNELS_VECTOR_INTEGERS_AVX2_H
#define ENG_KERNELS_VECTOR_INTEGERS_AVX2_H

enum { PAIR_LANES = 16 };

typedef __m256i integers;

TARGET static inline integers no_integers(void)
{
    return _mm256_setzero_si256();
}

TARGET static inline integers multiply_pairs(const int16_t *a, const int16_t *b, integers sum)
{
    __m256i left = _mm256_loadu_si256((const __m256i *)(const void *)a);
    __m256i right = _mm256_loadu_si256((const __m256i *)(const void *)b);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(left, right));
}

TARGET static inline int32_t sum_integers(integers v)
{
    __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half);
}

#endif
