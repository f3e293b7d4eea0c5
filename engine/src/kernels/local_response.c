#include "kernels/local_response.h"

#include "base/share.h"

#include <math.h>

enum { TILE = 64, FLOPS = 100 }; /* of an element, a power among them */

struct pass {
    const struct eng_local_response *l;
    bool write;
    const void *x;
    const float *dy;
    void *y; /* dx in backward */
};

/* n pixels of one channel; element i of x is at + i. */
struct tile {
    size_t channel, at, n;
};

/* Channels first .. last - 1 that count for channel c: in its window, or (turned) those in whose
 * windows it is. */
static size_t first_channel(const struct eng_local_response *l, size_t c, bool turned)
{
    size_t before = turned ? l->size / 2 : (l->size - 1) / 2;
    return c > before ? c - before : 0;
}

static size_t last_channel(const struct eng_local_response *l, size_t c, bool turned)
{
    size_t after = turned ? (l->size - 1) / 2 : l->size / 2;
    return l->n_channels - c - 1 > after ? c + after + 1 : l->n_channels;
}

/* s^-beta; the usual beta needs no logarithm. */
static inline double power(double s, double beta)
{
    if (beta != 0.75) return pow(s, -beta);
    double root = sqrt(s);
    return 1 / (root * sqrt(root));
}

static inline __attribute__((always_inline)) double read(const bool doubles, const void *x,
                                                         size_t i)
{
    return doubles ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* s of the tile's pixels in channel c. */
static inline __attribute__((always_inline)) void sums(const bool doubles, const struct pass *p,
                                                       const struct tile *tile, size_t c, double *s)
{
    const struct eng_local_response *l = p->l;
    size_t image = tile->at - tile->channel * l->n_pixels;
    for (size_t i = 0; i < tile->n; i++)
        s[i] = 0;
    for (size_t k = first_channel(l, c, false); k < last_channel(l, c, false); k++)
        for (size_t i = 0; i < tile->n; i++) {
            double x = read(doubles, p->x, image + k * l->n_pixels + i);
            s[i] += x * x;
        }
    for (size_t i = 0; i < tile->n; i++)
        s[i] = l->bias + l->alpha / (double)l->size * s[i];
}

static void forward_floats(const struct pass *p, const struct tile *tile)
{
    double s[TILE];
    sums(false, p, tile, tile->channel, s);
    for (size_t i = 0; i < tile->n; i++)
        ((float *)p->y)[tile->at + i] =
            (float)(read(false, p->x, tile->at + i) * power(s[i], p->l->beta));
}

static void forward_doubles(const struct pass *p, const struct tile *tile)
{
    double s[TILE];
    sums(true, p, tile, tile->channel, s);
    for (size_t i = 0; i < tile->n; i++)
        ((double *)p->y)[tile->at + i] = read(true, p->x, tile->at + i) * power(s[i], p->l->beta);
}

/* dx = dy s^-beta - 2 alpha beta / size x (the sum, over the channels in whose windows x is, of
 * their dy x s^(-beta - 1)). */
static void backward_tile(const struct pass *p, const struct tile *tile)
{
    const struct eng_local_response *l = p->l;
    const float *x = p->x;
    double s[TILE], through[TILE] = {0}, own[TILE];
    for (size_t c = first_channel(l, tile->channel, true); c < last_channel(l, tile->channel, true);
         c++) {
        sums(false, p, tile, c, s);
        size_t at = tile->at - tile->channel * l->n_pixels + c * l->n_pixels;
        for (size_t i = 0; i < tile->n; i++) {
            double slope = (double)p->dy[at + i] * power(s[i], l->beta);
            if (c == tile->channel) own[i] = slope;
            through[i] += slope * (double)x[at + i] / s[i];
        }
    }
    double share = 2 * l->alpha * l->beta / (double)l->size;
    float *dx = (float *)p->y + tile->at;
    for (size_t i = 0; i < tile->n; i++) {
        double d = own[i] - share * (double)x[tile->at + i] * through[i];
        dx[i] = (float)(p->write ? d : (double)dx[i] + d);
    }
}

struct planes {
    const struct pass *pass;
    void (*fn)(const struct pass *p, const struct tile *tile);
};

static void each_plane(void *ctx, size_t begin, size_t end)
{
    const struct planes *planes = ctx;
    const struct eng_local_response *l = planes->pass->l;
    for (size_t plane = begin; plane < end; plane++)
        for (size_t i = 0; i < l->n_pixels; i += TILE) {
            struct tile tile = {.channel = plane % l->n_channels,
                                .at = plane * l->n_pixels + i,
                                .n = l->n_pixels - i < TILE ? l->n_pixels - i : TILE};
            planes->fn(planes->pass, &tile);
        }
}

static void run(const struct pass *p, struct eng_pool *pool,
                void (*fn)(const struct pass *p, const struct tile *tile))
{
    struct planes planes = {.pass = p, .fn = fn};
    eng_share(pool, p->l->n_images * p->l->n_channels, FLOPS * (double)p->l->n_pixels,
              8 * (double)p->l->n_pixels, each_plane, &planes);
}

void eng_local_response_forward(const struct eng_local_response *l, enum eng_dtype dtype,
                                const void *x, void *y, struct eng_pool *pool)
{
    struct pass p = {.l = l, .x = x, .y = y};
    run(&p, pool, dtype == ENG_FLOAT32 ? forward_floats : forward_doubles);
}

void eng_local_response_backward(const struct eng_local_response *l, const float *x,
                                 const float *dy, bool write, float *dx, struct eng_pool *pool)
{
    struct pass p = {.l = l, .write = write, .x = x, .dy = dy, .y = dx};
    run(&p, pool, backward_tile);
}
