#include "kernels/box.h"

#include "base/share.h"
#include "kernels/dispatch.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

/* What a thread takes at once, in elements: a piece of a line, or of a plane. */
enum { LINE_PIECE = 1 << 14, ROW_PIECE = 64, COLUMN_PIECE = 256 };

void eng_box_push(struct eng_box *box, int64_t dim, ptrdiff_t from, ptrdiff_t to)
{
    if (dim == 1) return;
    int last = box->rank - 1;
    if (last >= 0 && box->from[last] == dim * from && box->to[last] == dim * to) {
        box->dim[last] *= (size_t)dim;
    } else {
        assert(box->rank < ENG_BOX_RANK);
        box->dim[++last] = (size_t)dim;
        box->rank++;
    }
    box->from[last] = from;
    box->to[last] = to;
}

void eng_box_steps(const struct eng_shape *shape, ptrdiff_t step[ENG_MAX_RANK])
{
    ptrdiff_t size = 1;
    for (int d = shape->rank - 1; d >= 0; d--) {
        step[d] = size;
        size *= shape->dim[d];
    }
}

struct eng_box eng_box_back(const struct eng_box *box)
{
    struct eng_box back = *box;
    memcpy(back.from, box->to, sizeof back.from);
    memcpy(back.to, box->from, sizeof back.to);
    back.from_start = box->to_start;
    back.to_start = box->from_start;
    return back;
}

/* A dimension that is cut into pieces. */
struct cut {
    size_t n, piece;
    ptrdiff_t from, to; /* steps */
};

/*
 * The box as pieces of rows and columns. A line is one row. In a plane `to` is contiguous along the
 * rows' index and `from` along the columns'. The last two dimensions of outer count the pieces.
 */
struct run {
    int rank;
    size_t dim[ENG_BOX_RANK + 2];
    ptrdiff_t from_step[ENG_BOX_RANK + 2], to_step[ENG_BOX_RANK + 2];
    struct cut rows, columns;
    bool is_plane, adds, is_float;
    size_t bytes; /* of an element */
    const char *from;
    char *to;
};

/* Where piece `index` lies, in elements. */
struct place {
    size_t index[ENG_BOX_RANK + 2];
    ptrdiff_t from, to;
};

static inline size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct cut cut_of(const struct eng_box *box, int d, size_t piece)
{
    return (struct cut){.n = box->dim[d], .piece = piece, .from = box->from[d], .to = box->to[d]};
}

static void push_outer(struct run *r, size_t dim, ptrdiff_t from, ptrdiff_t to)
{
    r->dim[r->rank] = dim;
    r->from_step[r->rank] = from;
    r->to_step[r->rank++] = to;
}

static void push_pieces(struct run *r, const struct cut *cut)
{
    ptrdiff_t piece = (ptrdiff_t)cut->piece;
    push_outer(r, (cut->n + cut->piece - 1) / cut->piece, piece * cut->from, piece * cut->to);
}

/* The dimension that with the last one makes a plane, or -1: one side is contiguous along one of
 * them and the other along the other. */
static int find_across(const struct eng_box *box)
{
    int last = box->rank - 1;
    bool to_last = box->to[last] == 1 && box->from[last] > 1;
    bool from_last = box->from[last] == 1 && box->to[last] > 1;
    for (int d = 0; d < last; d++)
        if ((to_last && box->from[d] == 1 && box->to[d] > 1) ||
            (from_last && box->to[d] == 1 && box->from[d] > 1))
            return d;
    return -1;
}

static void cut_box(const struct eng_box *box, struct run *r)
{
    int last = box->rank - 1, across = box->rank > 1 ? find_across(box) : -1;
    r->is_plane = across >= 0;
    r->rows = (struct cut){.n = 1, .piece = 1};
    r->columns = (struct cut){.n = 1, .piece = 1};
    if (r->is_plane) {
        bool last_is_rows = box->to[last] == 1;
        r->rows = cut_of(box, last_is_rows ? last : across, ROW_PIECE);
        r->columns = cut_of(box, last_is_rows ? across : last, COLUMN_PIECE);
    } else if (last >= 0) {
        r->columns = cut_of(box, last, LINE_PIECE);
    }
    for (int d = 0; d < last; d++)
        if (d != across) push_outer(r, box->dim[d], box->from[d], box->to[d]);
    push_pieces(r, &r->rows);
    push_pieces(r, &r->columns);
}

static struct place place_of(const struct run *r, size_t i)
{
    struct place at = {.from = 0};
    for (int d = r->rank - 1; d >= 0; d--) {
        at.index[d] = i % r->dim[d];
        i /= r->dim[d];
        at.from += (ptrdiff_t)at.index[d] * r->from_step[d];
        at.to += (ptrdiff_t)at.index[d] * r->to_step[d];
    }
    return at;
}

static inline void advance(const struct run *r, struct place *at)
{
    for (int d = r->rank - 1; d >= 0; d--) {
        at->from += r->from_step[d];
        at->to += r->to_step[d];
        if (++at->index[d] < r->dim[d]) return;
        at->from -= (ptrdiff_t)r->dim[d] * r->from_step[d];
        at->to -= (ptrdiff_t)r->dim[d] * r->to_step[d];
        at->index[d] = 0;
    }
}

/* bytes is a constant wherever this is inlined; steps in bytes. */
static inline __attribute__((always_inline)) void
copy_elements(const char *restrict from, ptrdiff_t from_step, char *restrict to, ptrdiff_t to_step,
              size_t n, size_t bytes)
{
    if (from_step == 0 && to_step == (ptrdiff_t)bytes)
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * bytes, from, bytes);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + (ptrdiff_t)i * to_step, from + (ptrdiff_t)i * from_step, bytes);
}

static void copy_line(const char *from, ptrdiff_t from_step, char *to, ptrdiff_t to_step, size_t n,
                      size_t bytes)
{
    from_step *= (ptrdiff_t)bytes;
    to_step *= (ptrdiff_t)bytes;
    if (from_step == (ptrdiff_t)bytes && to_step == (ptrdiff_t)bytes)
        memcpy(to, from, n * bytes);
    else if (bytes == 1)
        copy_elements(from, from_step, to, to_step, n, 1);
    else if (bytes == 2)
        copy_elements(from, from_step, to, to_step, n, 2);
    else if (bytes == 4)
        copy_elements(from, from_step, to, to_step, n, 4);
    else
        copy_elements(from, from_step, to, to_step, n, 8);
}

static void add_line(const float *from, ptrdiff_t from_step, float *to, ptrdiff_t to_step, size_t n)
{
    if (to_step == 0 && from_step == 1) {
        *to += eng_kernels()->sum(from, 0, n);
    } else if (to_step == 1 && from_step == 1) {
        for (size_t i = 0; i < n; i++)
            to[i] += from[i];
    } else {
        for (size_t i = 0; i < n; i++)
            to[(ptrdiff_t)i * to_step] += from[(ptrdiff_t)i * from_step];
    }
}

/* A plane of floats: blocks that fit the registers. */
static void turn_floats(const struct run *r, const float *from, float *to, size_t n_rows,
                        size_t n_columns)
{
    size_t from_at[ROW_PIECE], to_at[COLUMN_PIECE];
    for (size_t i = 0; i < n_rows; i++)
        from_at[i] = i * (size_t)r->rows.from;
    for (size_t j = 0; j < n_columns; j++)
        to_at[j] = j * (size_t)r->columns.to;
    for (size_t j = 0; j < n_columns; j += ENG_CHANNEL_BLOCK)
        for (size_t i = 0; i < n_rows; i += ENG_CHANNEL_BLOCK)
            eng_kernels()->transpose(
                &(struct eng_transpose){.n_rows = (int)smaller(n_rows - i, ENG_CHANNEL_BLOCK),
                                        .n_columns = (int)smaller(n_columns - j, ENG_CHANNEL_BLOCK),
                                        .from = from + j,
                                        .from_at = from_at + i,
                                        .to = to + i,
                                        .to_at = to_at + j,
                                        .accumulate = r->adds});
}

/* A plane of other elements: blocks that fit the first-level cache. */
static void turn_bytes(const struct run *r, const char *from, char *to, size_t n_rows,
                       size_t n_columns)
{
    size_t bytes = r->bytes;
    for (size_t j = 0; j < n_columns; j += ENG_CHANNEL_BLOCK) {
        size_t n = smaller(n_columns - j, ENG_CHANNEL_BLOCK);
        for (size_t i = 0; i < n_rows; i++)
            copy_line(from + (i * (size_t)r->rows.from + j) * bytes, 1,
                      to + (i + j * (size_t)r->columns.to) * bytes, r->columns.to, n, bytes);
    }
}

static void move_piece(const struct run *r, const struct place *at)
{
    const struct cut *rows = &r->rows, *columns = &r->columns;
    size_t n_rows = smaller(rows->n - at->index[r->rank - 2] * rows->piece, rows->piece);
    size_t n_columns =
        smaller(columns->n - at->index[r->rank - 1] * columns->piece, columns->piece);
    const char *from = r->from + at->from * (ptrdiff_t)r->bytes;
    char *to = r->to + at->to * (ptrdiff_t)r->bytes;
    if (r->is_plane && r->is_float)
        turn_floats(r, (const float *)(const void *)from, (float *)(void *)to, n_rows, n_columns);
    else if (r->is_plane)
        turn_bytes(r, from, to, n_rows, n_columns);
    else if (r->adds)
        add_line((const float *)(const void *)from, columns->from, (float *)(void *)to, columns->to,
                 n_columns);
    else
        copy_line(from, columns->from, to, columns->to, n_columns, r->bytes);
}

static void move_pieces(void *ctx, size_t begin, size_t end)
{
    const struct run *r = ctx;
    struct place at = place_of(r, begin);
    for (size_t i = begin; i < end; i++) {
        move_piece(r, &at);
        advance(r, &at);
    }
}

static void move_box(const struct eng_box *box, struct run *r, struct eng_pool *pool)
{
    cut_box(box, r);
    size_t n_pieces = 1;
    for (int d = 0; d < r->rank; d++)
        n_pieces *= r->dim[d];
    if (n_pieces == 0) return;
    r->from += box->from_start * (ptrdiff_t)r->bytes;
    r->to += box->to_start * (ptrdiff_t)r->bytes;
    size_t piece = smaller(r->rows.n, r->rows.piece) * smaller(r->columns.n, r->columns.piece);
    double n_bytes = (r->is_plane ? 4.0 : 2.0) * (double)(piece * r->bytes); /* slower turned */
    eng_share(pool, n_pieces, 0, n_bytes, move_pieces, r);
}

void eng_box_copy(const struct eng_box *box, enum eng_dtype dtype, const void *from, void *to,
                  struct eng_pool *pool)
{
    struct run r = {
        .is_float = dtype == ENG_FLOAT32, .bytes = eng_dtype_bytes(dtype), .from = from, .to = to};
    move_box(box, &r, pool);
}

void eng_box_add(const struct eng_box *box, const float *from, float *to, struct eng_pool *pool)
{
    struct run r = {.is_float = true,
                    .adds = true,
                    .bytes = sizeof *from,
                    .from = (const char *)from,
                    .to = (char *)to};
    bool sums = false;
    for (int d = 0; d < box->rank; d++)
        sums |= box->to[d] == 0;
    move_box(box, &r, sums ? NULL : pool);
}
