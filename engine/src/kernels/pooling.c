#include "kernels/pooling.h"

#include <math.h>

/* Enough window taps for a thread to be worth waking. */
enum { TAPS_PER_CHUNK = 1 << 16 };

static size_t planes_per_chunk(const struct eng_window *w)
{
    size_t taps = eng_window_volume(w->out) * eng_window_volume(w->kernel) + 1;
    return TAPS_PER_CHUNK / taps + 1;
}

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

static int64_t first_tap(const struct eng_window *w, const struct reach *reach)
{
    if (reach->z.first >= reach->z.last || reach->y.first >= reach->y.last ||
        reach->x.first >= reach->x.last)
        return -1;
    return row_start(w, reach, reach->z.first, reach->y.first) + reach->x.first * w->dilation[2];
}

/* The first of equal elements wins, NaN over all. */
static int64_t find_max(const struct eng_window *w, const struct reach *reach, const float *x)
{
    int64_t best = first_tap(w, reach);
    for (int64_t kz = reach->z.first; kz < reach->z.last; kz++) {
        for (int64_t ky = reach->y.first; ky < reach->y.last; ky++) {
            int64_t row = row_start(w, reach, kz, ky);
            for (int64_t kx = reach->x.first; kx < reach->x.last; kx++) {
                int64_t at = row + kx * w->dilation[2];
                if (!(x[at] <= x[best]) && !isnan(x[best])) best = at;
            }
        }
    }
    return best;
}

static float sum_window(const struct eng_window *w, const struct reach *reach, const float *x)
{
    float sum = 0;
    for (int64_t kz = reach->z.first; kz < reach->z.last; kz++) {
        for (int64_t ky = reach->y.first; ky < reach->y.last; ky++) {
            int64_t row = row_start(w, reach, kz, ky);
            for (int64_t kx = reach->x.first; kx < reach->x.last; kx++)
                sum += x[row + kx * w->dilation[2]];
        }
    }
    return sum;
}

static void add_to_window(const struct eng_window *w, const struct reach *reach, float value,
                          float *x)
{
    for (int64_t kz = reach->z.first; kz < reach->z.last; kz++) {
        for (int64_t ky = reach->y.first; ky < reach->y.last; ky++) {
            int64_t row = row_start(w, reach, kz, ky);
            for (int64_t kx = reach->x.first; kx < reach->x.last; kx++)
                x[row + kx * w->dilation[2]] += value;
        }
    }
}

/* What one plane is walked with; what to do at each output pixel is visit's. */
struct walk {
    const struct eng_window *w;
    bool count_padding;
    const float *x;  /* [n_planes, in...] */
    const float *dy; /* [n_planes, out...] */
    float *y, *dx;
    int32_t *argmax;
    void (*visit)(const struct walk *walk, const struct reach *reach, size_t plane, size_t i);
};

static void walk_planes(void *ctx, size_t begin, size_t end)
{
    const struct walk *walk = ctx;
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
                    walk->visit(walk, &reach, plane, i++);
                }
            }
        }
    }
}

static void visit_max(const struct walk *walk, const struct reach *reach, size_t plane, size_t i)
{
    const float *x = walk->x + plane * eng_window_volume(walk->w->in);
    int64_t at = find_max(walk->w, reach, x);
    walk->y[i] = at < 0 ? -INFINITY : x[at];
    if (walk->argmax) walk->argmax[i] = (int32_t)at;
}

void eng_max_pool_forward(const struct eng_window *w, size_t n_planes, const float *x, float *y,
                          int32_t *argmax, struct eng_pool *pool)
{
    struct walk walk = {.w = w, .x = x, .y = y, .argmax = argmax, .visit = visit_max};
    eng_pool_for(pool, n_planes, planes_per_chunk(w), walk_planes, &walk);
}

void eng_max_pool_backward(const struct eng_window *w, size_t n_planes, const int32_t *argmax,
                           const float *dy, float *dx)
{
    size_t n_in = eng_window_volume(w->in), n_out = eng_window_volume(w->out);
    for (size_t plane = 0; plane < n_planes; plane++, argmax += n_out, dy += n_out, dx += n_in)
        for (size_t i = 0; i < n_out; i++)
            if (argmax[i] >= 0) dx[argmax[i]] += dy[i];
}

/* How many taps of one axis fall inside the padded image. */
static int64_t padded_taps(const struct eng_window *w, int axis, const struct eng_window_taps *taps)
{
    int64_t room = w->in[axis] + w->pad_end[axis] - taps->origin;
    int64_t fit = (room + w->dilation[axis] - 1) / w->dilation[axis];
    return fit < w->kernel[axis] ? fit : w->kernel[axis];
}

static float divisor(const struct walk *walk, const struct reach *reach)
{
    if (walk->count_padding)
        return (float)(padded_taps(walk->w, 0, &reach->z) * padded_taps(walk->w, 1, &reach->y) *
                       padded_taps(walk->w, 2, &reach->x));
    return (float)((reach->z.last - reach->z.first) * (reach->y.last - reach->y.first) *
                   (reach->x.last - reach->x.first));
}

static void visit_average(const struct walk *walk, const struct reach *reach, size_t plane,
                          size_t i)
{
    const float *x = walk->x + plane * eng_window_volume(walk->w->in);
    walk->y[i] = sum_window(walk->w, reach, x) / divisor(walk, reach);
}

static void visit_average_backward(const struct walk *walk, const struct reach *reach, size_t plane,
                                   size_t i)
{
    float *dx = walk->dx + plane * eng_window_volume(walk->w->in);
    add_to_window(walk->w, reach, walk->dy[i] / divisor(walk, reach), dx);
}

void eng_average_pool_forward(const struct eng_window *w, size_t n_planes, bool count_padding,
                              const float *x, float *y, struct eng_pool *pool)
{
    struct walk walk = {
        .w = w, .count_padding = count_padding, .x = x, .y = y, .visit = visit_average};
    eng_pool_for(pool, n_planes, planes_per_chunk(w), walk_planes, &walk);
}

void eng_average_pool_backward(const struct eng_window *w, size_t n_planes, bool count_padding,
                               const float *dy, float *dx)
{
    struct walk walk = {.w = w,
                        .count_padding = count_padding,
                        .dy = dy,
                        .dx = dx,
                        .visit = visit_average_backward};
    walk_planes(&walk, 0, n_planes);
}
