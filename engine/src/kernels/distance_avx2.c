/* AVX2: 32 bytes in a register; for squares 16, widened. */
#include "kernels/distance_kernels.h"

#ifdef ENG_X86

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
enum { QUERIES = 2 };

typedef __m256i vector;

bool eng_distance_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

TARGET static inline vector zero(void)
{
    return _mm256_setzero_si256();
}

/* Each of the four registers summed over its 32-bit lanes. */
TARGET static inline void sums4(const vector v[4], uint32_t out[4])
{
    vector all = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
    _mm_storeu_si128((__m128i *)out,
                     _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
}

#define KERNEL l1
#define LANES  32

TARGET static inline vector load_l1(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

TARGET static inline vector load_first_l1(const uint8_t *p, size_t n)
{
    uint8_t bytes[32] = {0};
    memcpy(bytes, p, n);
    return load_l1(bytes);
}

#define turn_l1(b) (b)

TARGET static inline vector step_l1(vector sums, vector a, vector b)
{
    return _mm256_add_epi64(sums, _mm256_sad_epu8(a, b));
}

#include "kernels/distance_body.inc"

#undef KERNEL
#undef LANES
#define KERNEL l2
#define LANES  16

TARGET static inline vector load_l2(const uint8_t *p)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

TARGET static inline vector load_first_l2(const uint8_t *p, size_t n)
{
    uint8_t bytes[16] = {0};
    memcpy(bytes, p, n);
    return load_l2(bytes);
}

#define turn_l2(b) (b)

TARGET static inline vector step_l2(vector sums, vector a, vector b)
{
    vector difference = _mm256_sub_epi16(a, b);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(difference, difference));
}

#include "kernels/distance_body.inc"

static const struct eng_distance_finish plain = {.factor = 1};

void eng_distance_l1_avx2(const struct eng_distance_block *block)
{
    l1(block, &plain);
}

void eng_distance_l2_avx2(const struct eng_distance_block *block)
{
    l2(block, &plain);
}

#endif
