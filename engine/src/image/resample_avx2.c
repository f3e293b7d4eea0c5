/*
 * With AVX2, to the same bits: products of 16 bits by 16, neighbours added, are exact when a weight
 * is taken as high * 2^15 + low, and samples in pairs. What wraps around in 32 bits wraps back.
 */
#include "image/resample.h"

#if defined __x86_64__ && !defined ENG_PORTABLE_ONLY

#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2")))
enum { LOW_BITS = 15 };

static const int32_t half = 1 << (ENG_WEIGHT_FRACTION_BITS - 1);

/* Low parts of 4 weights in the lower half, high parts in the upper one. */
TARGET static inline __m128i split(__m128i weights)
{
    __m128i low = _mm_and_si128(weights, _mm_set1_epi32((1 << LOW_BITS) - 1));
    return _mm_packs_epi32(low, _mm_srai_epi32(weights, LOW_BITS));
}

/* Both parts of 4 sums; not yet within 0 to 255. */
TARGET static inline __m128i join(__m128i low, __m128i high)
{
    __m128i sum = _mm_add_epi32(_mm_slli_epi32(high, LOW_BITS), low);
    return _mm_srai_epi32(sum, ENG_WEIGHT_FRACTION_BITS);
}

/* The first 4 of the values as bytes. */
TARGET static inline int32_t to_bytes(__m128i values)
{
    __m128i words = _mm_packs_epi32(values, values);
    return _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
}

/* Four pixels at once: in each half two, as pairs of red, of green, of blue. */
TARGET static void along_rgb(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    const __m256i pairs =
        _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                         -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    const __m256i lows = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m256i highs = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
    for (uint32_t i = 0; i < x->n_out; i++, dst += 3) {
        const uint8_t *pixel = row + (size_t)x->begin[i] * 3;
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        __m256i low = _mm256_setr_epi32(half, half, half, half, 0, 0, 0, 0);
        __m256i high = _mm256_setzero_si256();
        for (uint32_t k = 0; k < x->n[i]; k += 4, pixel += 12) {
            __m256i w =
                _mm256_castsi128_si256(split(_mm_loadu_si128((const __m128i *)(weight + k))));
            __m256i bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)pixel));
            __m256i values = _mm256_shuffle_epi8(bytes, pairs);
            low = _mm256_add_epi32(low,
                                   _mm256_madd_epi16(values, _mm256_permutevar8x32_epi32(w, lows)));
            high = _mm256_add_epi32(
                high, _mm256_madd_epi16(values, _mm256_permutevar8x32_epi32(w, highs)));
        }
        __m128i low_4 =
            _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
        __m128i high_4 =
            _mm_add_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
        int32_t bytes = to_bytes(join(low_4, high_4));
        memcpy(dst, &bytes, sizeof bytes); /* one too many: the next pixel, or padding */
    }
}

/* Four samples at once: the lower half of the sums is of low parts, the upper one of high parts. */
TARGET static void along_gray(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++) {
        const uint8_t *sample = row + x->begin[i];
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        __m128i sums = _mm_setr_epi32(half, 0, 0, 0);
        for (uint32_t k = 0; k < x->n[i]; k += 4) {
            int32_t bytes;
            memcpy(&bytes, sample + k, sizeof bytes);
            __m128i values = _mm_cvtepu8_epi16(_mm_set1_epi32(bytes));
            __m128i w = split(_mm_loadu_si128((const __m128i *)(weight + k)));
            sums = _mm_add_epi32(sums, _mm_madd_epi16(values, w));
        }
        sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1));
        dst[i] = (uint8_t)to_bytes(join(sums, _mm_shuffle_epi32(sums, 0xee)));
    }
}

TARGET static void along(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels,
                         uint8_t *dst)
{
    if (n_channels == 1)
        along_gray(row, x, dst);
    else
        along_rgb(row, x, dst);
}

enum { DOWN = 16 }; /* bytes at once */

TARGET static inline void down_16(const uint8_t *const *rows, const int32_t *weight,
                                  uint32_t n_rows, size_t at, uint8_t *dst)
{
    __m256i low[2], high[2];
    for (int i = 0; i < 2; i++) {
        low[i] = _mm256_set1_epi32(half);
        high[i] = _mm256_setzero_si256();
    }
    for (uint32_t k = 0; k < n_rows; k += 2) {
        const uint8_t *other = rows[k + 1 < n_rows ? k + 1 : k]; /* of an odd one the weight is 0 */
        __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[k] + at)));
        __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(other + at)));
        __m128i w = split(_mm_loadl_epi64((const __m128i *)(weight + k)));
        __m256i w_low = _mm256_broadcastd_epi32(w);
        __m256i w_high = _mm256_broadcastd_epi32(_mm_shuffle_epi32(w, 0xaa));
        __m256i pairs[2] = {_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)};
        for (int i = 0; i < 2; i++) {
            low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pairs[i], w_low));
            high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pairs[i], w_high));
        }
    }
    for (int i = 0; i < 2; i++) {
        low[i] = _mm256_add_epi32(low[i], _mm256_slli_epi32(high[i], LOW_BITS));
        low[i] = _mm256_srai_epi32(low[i], ENG_WEIGHT_FRACTION_BITS);
    }
    __m256i words = _mm256_packs_epi32(low[0], low[1]);
    _mm_storeu_si128((__m128i *)dst, _mm_packus_epi16(_mm256_castsi256_si128(words),
                                                      _mm256_extracti128_si256(words, 1)));
}

TARGET static void down(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows,
                        size_t n, uint8_t *dst)
{
    size_t at = 0;
    for (; at + DOWN <= n; at += DOWN)
        down_16(rows, weight, n_rows, at, dst + at);
    if (at == n) return;
    uint8_t rest[DOWN];
    down_16(rows, weight, n_rows, at, rest);
    memcpy(dst + at, rest, n - at);
}

const struct eng_resampling *eng_resampling_avx2(void)
{
    static const struct eng_resampling avx2 = {.along = along, .down = down};
    return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
}

#else

const struct eng_resampling *eng_resampling_avx2(void)
{
    return NULL;
}

#endif
