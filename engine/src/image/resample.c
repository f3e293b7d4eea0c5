/*
 * Sums of bytes times 23-bit weights, exact in 32 bits, so that every CPU gives the same pixels.
 * SSE2, which every x86-64 has, multiplies 16 bits by 16 and adds neighbours: a weight is
 * high * 2^15 + low, and samples are taken in pairs.
 */
#include "image/resample.h"

#include <string.h>

static const int32_t half = 1 << (ENG_WEIGHT_FRACTION_BITS - 1);

#if defined __SSE2__ && !defined ENG_PORTABLE_ONLY

#include <emmintrin.h>

enum { LOW_BITS = 15 };

/* Low parts of 4 weights in the lower half, high parts in the upper one. */
static inline __m128i split(__m128i weights)
{
    __m128i low = _mm_and_si128(weights, _mm_set1_epi32((1 << LOW_BITS) - 1));
    return _mm_packs_epi32(low, _mm_srai_epi32(weights, LOW_BITS));
}

/* Both parts of 4 sums, rounded; not yet within 0 to 255. */
static inline __m128i join(__m128i low, __m128i high)
{
    __m128i sum = _mm_add_epi32(_mm_slli_epi32(high, LOW_BITS), low);
    return _mm_srai_epi32(sum, ENG_WEIGHT_FRACTION_BITS);
}

static inline __m128i load_4_bytes(const uint8_t *at)
{
    int32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

/* Two neighbouring pixels as pairs: red and red, green and green, blue and blue. */
static inline __m128i load_pair(const uint8_t *pixel)
{
    __m128i bytes = _mm_unpacklo_epi8(load_4_bytes(pixel), load_4_bytes(pixel + 3));
    return _mm_unpacklo_epi8(bytes, _mm_setzero_si128());
}

static void along_rgb(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++, dst += 3) {
        const uint8_t *pixel = row + (size_t)x->begin[i] * 3;
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        __m128i low = _mm_set1_epi32(half), high = _mm_setzero_si128();
        for (uint32_t k = 0; k < x->n[i]; k += 4, pixel += 12) {
            __m128i w = split(_mm_loadu_si128((const __m128i *)(weight + k)));
            __m128i a = load_pair(pixel), b = load_pair(pixel + 6);
            low = _mm_add_epi32(low, _mm_madd_epi16(a, _mm_shuffle_epi32(w, 0x00)));
            high = _mm_add_epi32(high, _mm_madd_epi16(a, _mm_shuffle_epi32(w, 0xaa)));
            low = _mm_add_epi32(low, _mm_madd_epi16(b, _mm_shuffle_epi32(w, 0x55)));
            high = _mm_add_epi32(high, _mm_madd_epi16(b, _mm_shuffle_epi32(w, 0xff)));
        }
        __m128i words = _mm_packs_epi32(join(low, high), _mm_setzero_si128());
        int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
        memcpy(dst, &bytes, sizeof bytes); /* one too many: the next pixel, or padding */
    }
}

/* Four samples at once: the lower half of the sums is of low parts, the upper one of high parts. */
static void along_gray(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++) {
        const uint8_t *sample = row + x->begin[i];
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        __m128i sums = _mm_set_epi32(0, 0, 0, half);
        for (uint32_t k = 0; k < x->n[i]; k += 4) {
            __m128i w = split(_mm_loadu_si128((const __m128i *)(weight + k)));
            __m128i values = _mm_unpacklo_epi8(load_4_bytes(sample + k), _mm_setzero_si128());
            sums = _mm_add_epi32(sums, _mm_madd_epi16(_mm_unpacklo_epi64(values, values), w));
        }
        sums = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0xb1));
        __m128i words =
            _mm_packs_epi32(join(sums, _mm_shuffle_epi32(sums, 0xee)), _mm_setzero_si128());
        dst[i] = (uint8_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    }
}

enum { DOWN = 16 }; /* bytes at once */

static inline void down_16(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows,
                           size_t at, uint8_t *dst)
{
    const __m128i zero = _mm_setzero_si128();
    __m128i low[4], high[4];
    for (int i = 0; i < 4; i++) {
        low[i] = _mm_set1_epi32(half);
        high[i] = zero;
    }
    for (uint32_t k = 0; k < n_rows; k += 2) {
        const uint8_t *other = rows[k + 1 < n_rows ? k + 1 : k]; /* of an odd one the weight is 0 */
        __m128i a = _mm_loadu_si128((const __m128i *)(rows[k] + at));
        __m128i b = _mm_loadu_si128((const __m128i *)(other + at));
        __m128i w = split(_mm_loadl_epi64((const __m128i *)(weight + k)));
        __m128i w_low = _mm_shuffle_epi32(w, 0x00), w_high = _mm_shuffle_epi32(w, 0xaa);
        __m128i first = _mm_unpacklo_epi8(a, b), last = _mm_unpackhi_epi8(a, b);
        __m128i pairs[4] = {_mm_unpacklo_epi8(first, zero), _mm_unpackhi_epi8(first, zero),
                            _mm_unpacklo_epi8(last, zero), _mm_unpackhi_epi8(last, zero)};
        for (int i = 0; i < 4; i++) {
            low[i] = _mm_add_epi32(low[i], _mm_madd_epi16(pairs[i], w_low));
            high[i] = _mm_add_epi32(high[i], _mm_madd_epi16(pairs[i], w_high));
        }
    }
    __m128i words_0 = _mm_packs_epi32(join(low[0], high[0]), join(low[1], high[1]));
    __m128i words_1 = _mm_packs_epi32(join(low[2], high[2]), join(low[3], high[3]));
    _mm_storeu_si128((__m128i *)dst, _mm_packus_epi16(words_0, words_1));
}

void eng_resample_down(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows, size_t n,
                       uint8_t *dst)
{
    size_t at = 0;
    for (; at + DOWN <= n; at += DOWN)
        down_16(rows, weight, n_rows, at, dst + at);
    if (at == n) return;
    uint8_t rest[DOWN];
    down_16(rows, weight, n_rows, at, rest);
    memcpy(dst + at, rest, n - at);
}

#else

static uint8_t to_pixel(int32_t sum)
{
    int32_t value = sum >> ENG_WEIGHT_FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Inlined with n_channels known, so that the inner loop has no branch. */
static inline __attribute__((always_inline)) void
along_n(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++) {
        const uint8_t *pixel = row + (size_t)x->begin[i] * n_channels;
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        int32_t sum[3] = {half, half, half};
        for (uint32_t k = 0; k < x->n[i]; k++, pixel += n_channels)
            for (uint32_t c = 0; c < n_channels; c++)
                sum[c] += pixel[c] * weight[k];
        for (uint32_t c = 0; c < n_channels; c++)
            *dst++ = to_pixel(sum[c]);
    }
}

static void along_gray(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    along_n(row, x, 1, dst);
}

static void along_rgb(const uint8_t *row, const struct eng_weights *x, uint8_t *dst)
{
    along_n(row, x, 3, dst);
}

enum { DOWN = 64 }; /* sums that stay in the first cache */

void eng_resample_down(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows, size_t n,
                       uint8_t *dst)
{
    for (size_t at = 0; at < n; at += DOWN) {
        size_t n_now = n - at < DOWN ? n - at : DOWN;
        int32_t sums[DOWN];
        for (size_t i = 0; i < n_now; i++)
            sums[i] = half;
        for (uint32_t k = 0; k < n_rows; k++)
            for (size_t i = 0; i < n_now; i++)
                sums[i] += rows[k][at + i] * weight[k];
        for (size_t i = 0; i < n_now; i++)
            dst[at + i] = to_pixel(sums[i]);
    }
}

#endif

void eng_resample_along(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels,
                        uint8_t *dst)
{
    if (n_channels == 1)
        along_gray(row, x, dst);
    else
        along_rgb(row, x, dst);
}
