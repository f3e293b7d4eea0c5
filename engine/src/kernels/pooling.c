#include "kernels/pooling.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <string.h>

/* The taps inside the image at one output pixel, on all axes. */
struct reach {
    struct eng_window_taps z, y, x;
};

/* Where a row of taps starts in its plane: tap kx lies at row + kx * dilation. */
static int64_t row_start(const struct eng_window *w, const struct reach *reach, int64_t kz,
                         int64_t ky)
{
    int64_t z = reach->z.origin + kz * w->dilation[0];
    int64_t y = reach->y.origin + ky * w->dilation[1];
    return (z * w->in[1] + y) * w->in[2] + reach->x.origin;
}

/* What a walk over the windows of some planes works on; visit is inlined, i is the index in y. */
struct walk {
    const struct eng_window *w;
    bool count_padding;
    double p;       /* the norm's exponent */
    const void *x;  /* [n_planes, in...] */
    const void *dy; /* [n_planes, out...] */
    void *y, *dx;
    int32_t *argmax;
};

static void share_planes(struct eng_pool *pool, size_t n_planes, eng_loop_fn *fn, struct walk *walk)
{
    double taps =
        (double)eng_window_volume(walk->w->out) * (double)eng_window_volume(walk->w->kernel);
    eng_share(pool, n_planes, 16 * taps, sizeof(float) * taps, fn, walk);
}

typedef void visit_fn(const struct walk *walk, const struct reach *reach, size_t plane, size_t i);

static inline __attribute__((always_inline)) void walk_planes(const struct walk *walk, size_t begin,
                                                              size_t end, visit_fn *visit)
{
    const struct eng_window *w = walk->w;
    size_t i = begin * eng_window_volume(w->out);
    struct reach reach;
    for (size_t plane = begin; plane < end; plane++) {
        for (int64_t z = 0; z < w->out[0]; z++) {
            reach.z = eng_window_taps_at(w, 0, z);
            for (int64_t y = 0; y < w->out[1]; y++) {
                reach.y = eng_window_taps_at(w, 1, y);
                for (int64_t x = 0; x < w->out[2]; x++) {
                    reach.x = eng_window_taps_at(w, 2, x);
                    visit(walk, &reach, plane, i++);
                }
            }
        }
    }
}

/* --- forward, by type --- */

/* How many taps of one axis fall inside the padded image. */
static int64_t padded_taps(const struct eng_window *w, int axis, const struct eng_window_taps *taps)
{
    int64_t room = w->in[axis] + w->pad_end[axis] - taps->origin;
    int64_t fit = (room + w->dilation[axis] - 1) / w->dilation[axis];
    return fit < w->kernel[axis] ? fit : w->kernel[axis];
}

static double divisor(const struct walk *walk, const struct reach *reach)
{
    if (walk->count_padding)
        return (double)(padded_taps(walk->w, 0, &reach->z) * padded_taps(walk->w, 1, &reach->y) *
                        padded_taps(walk->w, 2, &reach->x));
    return (double)((reach->z.last - reach->z.first) * (reach->y.last - reach->y.first) *
                    (reach->x.last - reach->x.first));
}

#define TYPE        float
#define LOWEST      (-INFINITY)
#define IS_NAN(x)   ((x) != (x))
#define NAMED(name) name##_float
#define ROOT(x)     sqrtf(x)
#define POWER(x, y) powf(x, y)
#include "kernels/pooling_visit.inc"

#define TYPE        double
#define LOWEST      (-INFINITY)
#define IS_NAN(x)   ((x) != (x))
#define NAMED(name) name##_double
#define ROOT(x)     sqrt(x)
#define POWER(x, y) pow(x, y)
#include "kernels/pooling_visit.inc"

#define TYPE        uint8_t
#define LOWEST      0
#define IS_NAN(x)   false
#define NAMED(name) name##_uint8
#include "kernels/pooling_visit.inc"

#define TYPE        int8_t
#define LOWEST      INT8_MIN
#define IS_NAN(x)   false
#define NAMED(name) name##_int8
#include "kernels/pooling_visit.inc"

/* --- maximum --- */

/* The everyday case, two by two pixels side by side: no borders, no index arithmetic. */
static bool is_pairs(const struct eng_window *w)
{
    for (int a = 1; a < ENG_WINDOW_AXES; a++)
        if (w->kernel[a] != 2 || w->stride[a] != 2 || w->dilation[a] != 1 || w->pad_begin[a] != 0 ||
            2 * w->out[a] > w->in[a])
            return false;
    return w->kernel[0] == 1 && w->stride[0] == 1 && w->pad_begin[0] == 0 && w->pad_end[0] == 0;
}

/* A depth above 1 with the same two by two window would need an outer loop: rare, so walked. */
bool eng_max_pool_is_pairs(const struct eng_window *w)
{
    return is_pairs(w) && w->in[0] == 1;
}

static void max_pairs(void *ctx, size_t begin, size_t end)
{
    const struct walk *walk = ctx;
    const struct eng_window *w = walk->w;
    size_t width = (size_t)w->in[2], n = (size_t)w->out[2];
    for (size_t plane = begin; plane < end; plane++) {
        const float *x = (const float *)walk->x + plane * eng_window_volume(w->in);
        float *y = (float *)walk->y + plane * eng_window_volume(w->out);
        for (size_t row = 0; row < (size_t)w->out[1]; row++)
            eng_kernels()->max_pairs(x + 2 * row * width, width, y + row * n, n);
    }
}

static eng_loop_fn *max_loop(enum eng_dtype dtype)
{
    switch (dtype) {
    case ENG_FLOAT32:
        return max_planes_float;
    case ENG_FLOAT64:
        return max_planes_double;
    case ENG_UINT8:
        return max_planes_uint8;
    case ENG_INT8:
        return max_planes_int8;
    default:
        return NULL;
    }
}

bool eng_max_pool_takes(enum eng_dtype dtype)
{
    return max_loop(dtype) != NULL;
}

void eng_max_pool_forward(const struct eng_window *w, size_t n_planes, enum eng_dtype dtype,
                          const void *x, void *y, int32_t *argmax, struct eng_pool *pool)
{
    struct walk walk = {.w = w, .x = x, .y = y, .argmax = argmax};
    bool pairs = dtype == ENG_FLOAT32 && !argmax && eng_max_pool_is_pairs(w);
    share_planes(pool, n_planes, pairs ? max_pairs : max_loop(dtype), &walk);
}

void eng_max_pool_backward(const struct eng_window *w, size_t n_planes, const int32_t *argmax,
                           const float *dy, float *dx, bool write)
{
    size_t n_in = eng_window_volume(w->in), n_out = eng_window_volume(w->out);
    if (write) memset(dx, 0, n_planes * n_in * sizeof *dx);
    for (size_t plane = 0; plane < n_planes; plane++, argmax += n_out, dy += n_out, dx += n_in)
        for (size_t i = 0; i < n_out; i++)
            if (argmax[i] >= 0) dx[argmax[i]] += dy[i];
}

/* What lies beyond the last square of a plane. */
static void zero_rest(const struct eng_window *w, float *dx)
{
    size_t width = (size_t)w->in[2], height = (size_t)w->in[1];
    size_t covered = 2 * (size_t)w->out[2], n_rows = 2 * (size_t)w->out[1];
    for (size_t row = 0; covered < width && row < n_rows; row++)
        memset(dx + row * width + covered, 0, (width - covered) * sizeof *dx);
    memset(dx + n_rows * width, 0, (height - n_rows) * width * sizeof *dx);
}

void eng_max_pool_pairs_backward(const struct eng_window *w, size_t n_planes, const float *x,
                                 const float *y, const float *dy, float *dx, bool write)
{
    size_t width = (size_t)w->in[2], n = (size_t)w->out[2], n_in = eng_window_volume(w->in);
    for (size_t plane = 0; plane < n_planes; plane++, x += n_in, dx += n_in) {
        for (size_t row = 0; row < (size_t)w->out[1]; row++, y += n, dy += n)
            eng_kernels()->max_pairs_backward(x + 2 * row * width, width, y, dy,
                                              dx + 2 * row * width, write, n);
        if (write) zero_rest(w, dx);
    }
}

/* --- mean --- */

static inline void visit_mean_backward(const struct walk *walk, const struct reach *reach,
                                       size_t plane, size_t i)
{
    const struct eng_window *w = walk->w;
    float *dx = (float *)walk->dx + plane * eng_window_volume(w->in);
    float share = ((const float *)walk->dy)[i] / (float)divisor(walk, reach);
    for (int64_t kz = reach->z.first; kz < reach->z.last; kz++) {
        for (int64_t ky = reach->y.first; ky < reach->y.last; ky++) {
            int64_t row = row_start(w, reach, kz, ky);
            for (int64_t kx = reach->x.first; kx < reach->x.last; kx++)
                dx[row + kx * w->dilation[2]] += share;
        }
    }
}

void eng_average_pool_forward(const struct eng_window *w, size_t n_planes, bool count_padding,
                              enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool)
{
    struct walk walk = {.w = w, .count_padding = count_padding, .x = x, .y = y};
    share_planes(pool, n_planes, dtype == ENG_FLOAT32 ? mean_planes_float : mean_planes_double,
                 &walk);
}

void eng_average_pool_backward(const struct eng_window *w, size_t n_planes, bool count_padding,
                               const float *dy, float *dx)
{
    struct walk walk = {.w = w, .count_padding = count_padding, .dy = dy, .dx = dx};
    walk_planes(&walk, 0, n_planes, visit_mean_backward);
}

/* --- norm --- */

/* d|x|_p / dx = sign(x) (|x| / |x|_p)^(p - 1); 0 where all is 0. */
static inline void visit_norm_backward(const struct walk *walk, const struct reach *reach,
                                       size_t plane, size_t i)
{
    const struct eng_window *w = walk->w;
    const float *x = (const float *)walk->x + plane * eng_window_volume(w->in);
    float *dx = (float *)walk->dx + plane * eng_window_volume(w->in);
    float norm = ((const float *)walk->y)[i], dy = ((const float *)walk->dy)[i];
    if (norm == 0) return;
    for (int64_t kz = reach->z.first; kz < reach->z.last; kz++) {
        for (int64_t ky = reach->y.first; ky < reach->y.last; ky++) {
            int64_t at = row_start(w, reach, kz, ky) + reach->x.first * w->dilation[2];
            for (int64_t kx = reach->x.first; kx < reach->x.last; kx++, at += w->dilation[2])
                if (x[at] != 0)
                    dx[at] += dy * copysignf(powf(fabsf(x[at]) / norm, (float)walk->p - 1), x[at]);
        }
    }
}

void eng_norm_pool_forward(const struct eng_window *w, size_t n_planes, double p,
                           enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool)
{
    struct walk walk = {.w = w, .p = p, .x = x, .y = y};
    share_planes(pool, n_planes, dtype == ENG_FLOAT32 ? norm_planes_float : norm_planes_double,
                 &walk);
}

void eng_norm_pool_backward(const struct eng_window *w, size_t n_planes, double p, const float *x,
                            const float *y, const float *dy, float *dx)
{
    struct walk walk = {.w = w, .p = p, .x = x, .y = (void *)y, .dy = dy, .dx = dx};
    walk_planes(&walk, 0, n_planes, visit_norm_backward);
}
