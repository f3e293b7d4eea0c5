#include "ops/matmul_shape.h"

#include "base/error.h"
#include "ops/op.h"

#include <limits.h>

/* The matrix dimensions of one side and what is left. */
struct side {
    int64_t rows, columns;
    struct eng_shape batch;
};

static struct side split(const struct eng_shape *shape, bool is_left)
{
    if (shape->rank == 1)
        return (struct side){.rows = is_left ? 1 : shape->dim[0],
                             .columns = is_left ? shape->dim[0] : 1};
    struct side side = {.rows = shape->dim[shape->rank - 2],
                        .columns = shape->dim[shape->rank - 1],
                        .batch = *shape};
    side.batch.rank -= 2;
    return side;
}

/* One B for all of A's matrices: they are one tall matrix. */
static void join_rows(struct eng_matmul *matmul)
{
    static const struct eng_shape one = {0};
    matmul->m *= matmul->batches.count;
    eng_broadcast_plan(&one, &one, &one, &matmul->batches);
}

enum eng_status eng_matmul_resolve(const struct eng_shape *a, const struct eng_shape *b,
                                   struct eng_matmul *out, struct eng_shape *y,
                                   struct eng_error *err)
{
    if (a->rank == 0 || b->rank == 0)
        return eng_fail(err, ENG_FORMAT, "input %d is a scalar; rank 1 to %d is wanted",
                        a->rank != 0, ENG_MAX_RANK);
    struct side left = split(a, true), right = split(b, false);
    if (left.columns != right.rows) {
        char a_text[96], b_text[96];
        return eng_fail(err, ENG_FORMAT, "A %s and B %s do not fit: K is %lld and %lld",
                        eng_shape_format(a, a_text, sizeof a_text),
                        eng_shape_format(b, b_text, sizeof b_text), (long long)left.columns,
                        (long long)right.rows);
    }
    int64_t n_left = eng_shape_count(a); /* bounds the rows once the batches are joined */
    if (n_left > INT_MAX || left.rows > INT_MAX || right.rows > INT_MAX || right.columns > INT_MAX)
        return eng_fail(err, ENG_LIMIT, "A's elements or a dimension exceed %d", INT_MAX);
    enum eng_status status = eng_infer_broadcast(&left.batch, &right.batch, y, err);
    if (status != ENG_OK) return status;
    *out = (struct eng_matmul){
        .m = (size_t)left.rows, .n = (size_t)right.columns, .k = (size_t)left.columns};
    eng_broadcast_plan(&left.batch, &right.batch, y, &out->batches);
    if (right.batch.rank == 0) join_rows(out);
    if (a->rank > 1) y->dim[y->rank++] = left.rows;
    if (b->rank > 1) y->dim[y->rank++] = right.columns;
    return ENG_OK;
}

double eng_matmul_flops(const struct eng_matmul *matmul)
{
    return 2.0 * (double)matmul->batches.count * (double)matmul->m * (double)matmul->n *
           (double)matmul->k;
}
