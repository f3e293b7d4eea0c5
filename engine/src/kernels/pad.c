#include "kernels/pad.h"

#include "base/share.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void eng_pad_plan(const struct eng_shape *x, const int64_t pads[2 * ENG_MAX_RANK],
                  enum eng_pad_mode mode, struct eng_pad *out)
{
    *out = (struct eng_pad){.mode = mode, .rank = x->rank, .block = 1};
    while (out->rank > 1 && pads[out->rank - 1] == 0 && pads[x->rank + out->rank - 1] == 0)
        out->block *= x->dim[--out->rank];
    int64_t step = out->block;
    for (int d = out->rank - 1; d >= 0; d--) {
        int64_t before = pads[d], behind = pads[x->rank + d];
        out->out[d] = x->dim[d] + before + behind;
        out->n[d] = x->dim[d] + (before < 0 ? before : 0) + (behind < 0 ? behind : 0);
        out->before[d] = before > 0 ? before : 0;
        out->step[d] = step;
        if (before < 0) out->start -= before * step;
        step *= x->dim[d];
    }
    if (out->rank > 0) return;
    out->rank = 1; /* a scalar */
    out->n[0] = out->out[0] = 1;
}

/* A run of neighbouring elements of the output, and of the input that they come from. */
struct stretch {
    int64_t from; /* NOWHERE: the border's value */
    int64_t to, n;
};

enum { NOWHERE = -1 };

/* Which index of what is left of the input is seen at index i of the output's dimension d. */
static inline int64_t source(const struct eng_pad *pad, int d, int64_t i)
{
    int64_t n = pad->n[d], j = i - pad->before[d];
    if (j >= 0 && j < n) return j;
    if (pad->mode == ENG_PAD_CONSTANT) return NOWHERE;
    if (pad->mode == ENG_PAD_EDGE) return j < 0 ? 0 : n - 1;
    int64_t period = pad->mode == ENG_PAD_WRAP ? n : 2 * (n - 1);
    if (period == 0) return 0;
    j %= period;
    if (j < 0) j += period;
    return j < n ? j : period - j;
}

/* Where line `i` of the output (all but the last dimension) comes from, or NOWHERE. */
static int64_t line_source(const struct eng_pad *pad, int64_t i)
{
    int64_t from = pad->start;
    for (int d = pad->rank - 2; d >= 0; d--) {
        int64_t j = source(pad, d, i % pad->out[d]);
        if (j == NOWHERE) return NOWHERE;
        from += j * pad->step[d];
        i /= pad->out[d];
    }
    return from;
}

/* The stretch that begins at index i of a line: what is left of the input in one piece, the border
 * block by block, or all at once if it is constant. */
static struct stretch next_stretch(const struct eng_pad *pad, int64_t line, int64_t i)
{
    int last = pad->rank - 1;
    int64_t before = pad->before[last], n = pad->n[last], end = i + 1;
    bool inside = i >= before && i < before + n;
    if (line == NOWHERE)
        end = pad->out[last];
    else if (inside)
        end = before + n;
    else if (pad->mode == ENG_PAD_CONSTANT)
        end = i < before ? before : pad->out[last];
    int64_t j = line == NOWHERE ? NOWHERE : source(pad, last, i);
    return (struct stretch){.from = j == NOWHERE ? NOWHERE : line + j * pad->block,
                            .to = i * pad->block,
                            .n = (end - i) * pad->block};
}

static int64_t count_lines(const struct eng_pad *pad)
{
    int64_t n = 1;
    for (int d = 0; d < pad->rank - 1; d++)
        n *= pad->out[d];
    return pad->out[pad->rank - 1] * pad->block > 0 ? n : 0;
}

struct forward {
    const struct eng_pad *pad;
    size_t bytes;
    const char *x, *value;
    char *y;
};

/* bytes is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void
repeat(char *restrict to, const char *restrict value, size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * bytes, value, bytes);
}

static void fill(char *to, const char *value, size_t n, size_t bytes)
{
    if (!value)
        memset(to, 0, n * bytes);
    else if (bytes == 1)
        memset(to, (unsigned char)*value, n);
    else if (bytes == 2)
        repeat(to, value, n, 2);
    else if (bytes == 4)
        repeat(to, value, n, 4);
    else
        repeat(to, value, n, 8);
}

static void forward_lines(void *ctx, size_t begin, size_t end)
{
    const struct forward *f = ctx;
    const struct eng_pad *pad = f->pad;
    int64_t length = pad->out[pad->rank - 1];
    for (size_t i = begin; i < end; i++) {
        int64_t line = line_source(pad, (int64_t)i);
        char *y = f->y + i * (size_t)(length * pad->block) * f->bytes;
        for (int64_t j = 0; j < length;) {
            struct stretch s = next_stretch(pad, line, j);
            char *to = y + (size_t)s.to * f->bytes;
            if (s.from == NOWHERE)
                fill(to, f->value, (size_t)s.n, f->bytes);
            else
                memcpy(to, f->x + (size_t)s.from * f->bytes, (size_t)s.n * f->bytes);
            j += s.n / pad->block;
        }
    }
}

void eng_pad_forward(const struct eng_pad *pad, enum eng_dtype dtype, const void *x,
                     const void *value, void *y, struct eng_pool *pool)
{
    struct forward f = {
        .pad = pad, .bytes = eng_dtype_bytes(dtype), .x = x, .value = value, .y = y};
    size_t n_lines = (size_t)count_lines(pad);
    if (n_lines == 0) return;
    size_t line = (size_t)(pad->out[pad->rank - 1] * pad->block);
    eng_share(pool, n_lines, 0, 2 * (double)(line * f.bytes), forward_lines, &f);
}

void eng_pad_backward(const struct eng_pad *pad, const float *dy, float *dx, float *dvalue)
{
    int64_t n_lines = count_lines(pad), length = pad->out[pad->rank - 1];
    for (int64_t i = 0; i < n_lines; i++, dy += length * pad->block) {
        int64_t line = line_source(pad, i);
        for (int64_t j = 0; j < length;) {
            struct stretch s = next_stretch(pad, line, j);
            if (s.from == NOWHERE)
                for (int64_t k = 0; dvalue && k < s.n; k++)
                    *dvalue += dy[s.to + k];
            else
                for (int64_t k = 0; dx && k < s.n; k++)
                    dx[s.from + k] += dy[s.to + k];
            j += s.n / pad->block;
        }
    }
}
