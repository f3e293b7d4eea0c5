/* AVX-512: 64 bytes in a register, masks for the tails. */
#include "kernels/distance_kernels.h"

#ifdef ENG_X86

#include <immintrin.h>

enum { LANES = 64, QUERIES = 4 };

typedef __m512i vector;

bool eng_distance_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

bool eng_distance_has_vnni(void)
{
    return eng_distance_has_avx512() && __builtin_cpu_supports("avx512vnni");
}

/* A function is inlined only into one that has all its instructions: so these come without VNNI. */
#define TARGET __attribute__((target("avx512f,avx512bw")))

TARGET static inline vector zero(void)
{
    return _mm512_setzero_si512();
}

/* Each of the four registers summed over its 32-bit lanes. */
TARGET static inline void sums4(const vector v[4], uint32_t out[4])
{
    vector ab =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[0], v[1]), _mm512_unpackhi_epi32(v[0], v[1]));
    vector cd =
        _mm512_add_epi32(_mm512_unpacklo_epi32(v[2], v[3]), _mm512_unpackhi_epi32(v[2], v[3]));
    vector all = _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
    _mm_storeu_si128((__m128i *)out, _mm_add_epi32(_mm256_castsi256_si128(half),
                                                   _mm256_extracti128_si256(half, 1)));
}

TARGET static inline vector load_all(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

TARGET static inline vector load_some(const uint8_t *p, size_t n)
{
    return _mm512_maskz_loadu_epi8(~(uint64_t)0 >> (LANES - n), p);
}

#define KERNEL l1

#define load_l1       load_all
#define load_first_l1 load_some
#define turn_l1(b)    (b)

TARGET static inline vector step_l1(vector sums, vector a, vector b)
{
    return _mm512_add_epi64(sums, _mm512_sad_epu8(a, b));
}

#include "kernels/distance_body.inc"

void eng_distance_l1_avx512(const struct eng_distance_block *block)
{
    static const struct eng_distance_finish finish = {.factor = 1};
    l1(block, &finish);
}

#undef TARGET
#undef KERNEL
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define KERNEL l2

/*
 * vpdpbusd multiplies unsigned with signed bytes, so it gets b - 128: the registers sum up
 * ab - 128 a. All sums are modulo 2^32, in which the distance itself fits.
 */
#define load_l2       load_all
#define load_first_l2 load_some

TARGET static inline vector turn_l2(vector b)
{
    return _mm512_xor_si512(b, _mm512_set1_epi8(-128));
}

TARGET static inline vector step_l2(vector sums, vector a, vector b)
{
    return _mm512_dpbusd_epi32(sums, a, b);
}

#include "kernels/distance_body.inc"

/* What each row adds: |x|^2 + shift * sum(x). */
TARGET static void measure(const uint8_t *rows, size_t n_rows, size_t n_features, uint32_t shift,
                           uint32_t *terms)
{
    const vector ones = _mm512_set1_epi8(1);
    for (size_t i = 0; i < n_rows; i++, rows += n_features) {
        vector sums[4] = {zero(), zero(), zero(), zero()};
        uint32_t four[4];
        for (size_t x = 0; x < n_features; x += LANES) {
            size_t n_left = n_features - x;
            vector a = n_left < LANES ? load_some(rows + x, n_left) : load_all(rows + x);
            sums[0] = step_l2(sums[0], a, turn_l2(a));
            sums[1] = step_l2(sums[1], a, ones);
        }
        sums4(sums, four);
        terms[i] = four[0] + (128 + shift) * four[1];
    }
}

void eng_distance_l2_vnni(const struct eng_distance_block *block)
{
    struct eng_distance_finish finish = {.factor = -2u};
    measure(block->queries, block->n_queries, block->n_features, -256u, finish.query_terms);
    measure(block->references, block->n_references, block->n_features, 0, finish.reference_terms);
    l2(block, &finish);
}

#endif
