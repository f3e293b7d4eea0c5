/*
 * Y = X on and above (upper, the default) or on and below diagonal k, 0 elsewhere; of any type.
 *
 * Shapes: X [.., rows, columns]. k is input 1, a scalar, 0 if left out: positive ones lie above the
 * main diagonal. Gradient: dY at the same elements. Source: ONNX Trilu, version 14.
 */
#include "base/error.h"
#include "ops/move.h"

#include <string.h>

struct attrs {
    bool upper;
};

static const struct eng_field fields[] = {
    ENG_F_BOOL(struct attrs, upper, 1, "keep what lies above the diagonal, else below"),
};

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_rank(q, 0, 2, ENG_MAX_RANK, err);
    if (status == ENG_OK && q->n_in > 1 && q->in[1]) {
        status = eng_infer_dtype(q, 1, ENG_INT64, err);
        if (status == ENG_OK) status = eng_infer_count(q, 1, 1, err);
    }
    if (status == ENG_OK) eng_infer_same(q);
    return status;
}

/* The rows of all matrices, one after another, and which elements of a row stay. */
struct rows {
    int64_t n, height, width, k;
    bool upper;
};

struct kept {
    size_t begin, end;
};

static struct rows rows_of(const struct eng_op_call *call)
{
    const struct eng_shape *x = &call->in[0]->shape;
    const struct eng_tensor *k = call->n_in > 1 ? call->in[1] : NULL;
    struct rows rows = {.n = 1,
                        .height = x->dim[x->rank - 2],
                        .width = x->dim[x->rank - 1],
                        .k = k ? *(const int64_t *)k->data : 0,
                        .upper = ((const struct attrs *)call->attrs)->upper};
    for (int d = 0; d < x->rank - 1; d++)
        rows.n *= x->dim[d];
    if (rows.width == 0) rows.n = 0;
    return rows;
}

/* Diagonals beyond the matrix are those beside it: nothing overflows then. */
static struct kept kept_of(const struct rows *rows, int64_t row)
{
    int64_t k = rows->k < -rows->height ? -rows->height
                : rows->k > rows->width ? rows->width
                                        : rows->k;
    int64_t diagonal = row % rows->height + k + !rows->upper;
    int64_t border = diagonal < 0 ? 0 : diagonal > rows->width ? rows->width : diagonal;
    if (rows->upper) return (struct kept){(size_t)border, (size_t)rows->width};
    return (struct kept){0, (size_t)border};
}

static void forward(const struct eng_op_call *call)
{
    struct rows rows = rows_of(call);
    size_t bytes = eng_dtype_bytes(call->in[0]->dtype), row_bytes = (size_t)rows.width * bytes;
    const char *x = call->in[0]->data;
    char *y = call->out[0]->data;
    for (int64_t i = 0; i < rows.n; i++, x += row_bytes, y += row_bytes) {
        struct kept kept = kept_of(&rows, i);
        if (y != x)
            memcpy(y + kept.begin * bytes, x + kept.begin * bytes, (kept.end - kept.begin) * bytes);
        memset(y, 0, kept.begin * bytes);
        memset(y + kept.end * bytes, 0, row_bytes - kept.end * bytes);
    }
}

static void backward(const struct eng_op_call *call)
{
    if (!eng_move_has_gradient(call, 0)) return;
    struct rows rows = rows_of(call);
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    for (int64_t i = 0; i < rows.n; i++, dx += rows.width, dy += rows.width) {
        struct kept kept = kept_of(&rows, i);
        for (size_t j = kept.begin; j < kept.end; j++)
            dx[j] += dy[j];
    }
}

const struct eng_op eng_op_trilu = {
    .name = "Trilu",
    .domain = "",
    .opset_min = 14,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_IN_PLACE,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
