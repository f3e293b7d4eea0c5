/* What infer functions need again and again. */
#include "base/error.h"
#include "ops/op.h"

enum { SHAPE_CHARS = 128 };

enum eng_status eng_infer_dtype(const struct eng_op_infer *q, size_t input, enum eng_dtype wanted,
                                struct eng_error *err)
{
    enum eng_dtype found = q->in[input]->dtype;
    if (found == wanted) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED, "input %zu has element type %s; %s is wanted", input,
                    eng_dtype_name(found), eng_dtype_name(wanted));
}

enum eng_status eng_infer_real(const struct eng_op_infer *q, size_t input, struct eng_error *err)
{
    enum eng_dtype found = q->in[input]->dtype;
    if (found == ENG_FLOAT32 || found == ENG_FLOAT64) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED,
                    "input %zu has element type %s; float or double is wanted", input,
                    eng_dtype_name(found));
}

enum eng_status eng_infer_byte(const struct eng_op_infer *q, size_t input, struct eng_error *err)
{
    enum eng_dtype found = q->in[input]->dtype;
    if (found == ENG_UINT8 || found == ENG_INT8) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED, "input %zu has element type %s; uint8 or int8 is wanted",
                    input, eng_dtype_name(found));
}

enum eng_status eng_infer_rank(const struct eng_op_infer *q, size_t input, int min, int max,
                               struct eng_error *err)
{
    const struct eng_shape *shape = &q->in[input]->shape;
    if (shape->rank >= min && shape->rank <= max) return ENG_OK;
    char text[SHAPE_CHARS];
    eng_shape_format(shape, text, sizeof(text));
    if (min == max)
        return eng_fail(err, ENG_FORMAT, "input %zu has shape %s of rank %d; rank %d is wanted",
                        input, text, shape->rank, min);
    return eng_fail(err, ENG_FORMAT, "input %zu has shape %s of rank %d; rank %d to %d is wanted",
                    input, text, shape->rank, min, max);
}

enum eng_status eng_infer_shape(const struct eng_op_infer *q, size_t input,
                                const struct eng_shape *wanted, struct eng_error *err)
{
    if (eng_shape_equal(&q->in[input]->shape, wanted)) return ENG_OK;
    char found_text[SHAPE_CHARS], wanted_text[SHAPE_CHARS];
    eng_shape_format(&q->in[input]->shape, found_text, sizeof(found_text));
    eng_shape_format(wanted, wanted_text, sizeof(wanted_text));
    return eng_fail(err, ENG_FORMAT, "input %zu has shape %s; %s is wanted", input, found_text,
                    wanted_text);
}

enum eng_status eng_infer_count(const struct eng_op_infer *q, size_t input, int64_t wanted,
                                struct eng_error *err)
{
    const struct eng_shape *shape = &q->in[input]->shape;
    if (eng_shape_count(shape) == wanted) return ENG_OK;
    char text[SHAPE_CHARS];
    return eng_fail(err, ENG_FORMAT, "input %zu has shape %s; %lld elements are wanted", input,
                    eng_shape_format(shape, text, sizeof text), (long long)wanted);
}

enum eng_status eng_infer_constant(const struct eng_op_infer *q, size_t input, const char *name,
                                   enum eng_dtype wanted, struct eng_error *err)
{
    if (!q->in[input]->data)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input %zu (%s) is computed from the picture; it must be known before the "
                        "picture is",
                        input, name);
    return eng_infer_dtype(q, input, wanted, err);
}

enum eng_status eng_infer_ints(const struct eng_op_infer *q, size_t input, const char *name,
                               struct eng_ints *out, struct eng_error *err)
{
    const struct eng_tensor *list = q->in[input];
    enum eng_dtype wanted = list->dtype == ENG_INT32 ? ENG_INT32 : ENG_INT64;
    enum eng_status status = eng_infer_constant(q, input, name, wanted, err);
    if (status != ENG_OK) return status;
    char text[SHAPE_CHARS];
    if (list->shape.rank != 1 || list->shape.dim[0] > ENG_MAX_INTS)
        return eng_fail(
            err, ENG_FORMAT, "input %zu (%s) has shape %s; a list of at most %d numbers is wanted",
            input, name, eng_shape_format(&list->shape, text, sizeof text), ENG_MAX_INTS);
    out->n = (int)list->shape.dim[0];
    for (int i = 0; i < out->n; i++)
        out->v[i] = eng_int_at(list, (size_t)i);
    return ENG_OK;
}

enum eng_status eng_infer_since(const struct eng_op_infer *q, int since, bool is_given,
                                const char *name, struct eng_error *err)
{
    if (!is_given || q->opset >= since) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "'%s' is there from opset %d on; the file uses opset %d", name,
                    since, q->opset);
}

void eng_infer_output(struct eng_op_infer *q, size_t output, enum eng_dtype dtype,
                      const struct eng_shape *shape)
{
    if (output >= q->n_out || !q->out[output]) return;
    q->out[output]->dtype = dtype;
    q->out[output]->shape = *shape;
}

enum eng_status eng_infer_fits(const struct eng_shape *y, struct eng_error *err)
{
    if (eng_shape_count(y) >= 0) return ENG_OK;
    char text[SHAPE_CHARS];
    return eng_fail(err, ENG_LIMIT, "the output would have shape %s, too large for memory",
                    eng_shape_format(y, text, sizeof text));
}

void eng_infer_same(struct eng_op_infer *q)
{
    eng_infer_output(q, 0, q->in[0]->dtype, &q->in[0]->shape);
}

enum eng_status eng_infer_broadcast(const struct eng_shape *a, const struct eng_shape *b,
                                    struct eng_shape *out, struct eng_error *err)
{
    struct eng_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 0; i < result.rank; i++) {
        int from_a = i - (result.rank - a->rank), from_b = i - (result.rank - b->rank);
        int64_t da = from_a < 0 ? 1 : a->dim[from_a];
        int64_t db = from_b < 0 ? 1 : b->dim[from_b];
        if (da != db && da != 1 && db != 1) {
            char text_a[SHAPE_CHARS], text_b[SHAPE_CHARS];
            eng_shape_format(a, text_a, sizeof(text_a));
            eng_shape_format(b, text_b, sizeof(text_b));
            return eng_fail(err, ENG_FORMAT,
                            "shapes %s and %s do not broadcast; equal dimensions, or 1, are wanted",
                            text_a, text_b);
        }
        result.dim[i] = da == 1 ? db : da;
    }
    *out = result;
    return ENG_OK;
}

size_t eng_infer_product(const struct eng_shape *shape, int first, int last)
{
    size_t n = 1;
    for (int d = first; d < last; d++)
        n *= (size_t)shape->dim[d];
    return n;
}

enum eng_status eng_infer_axis(int64_t axis, int rank, int *out, struct eng_error *err)
{
    if (axis < -rank || axis >= rank)
        return eng_fail(err, ENG_FORMAT,
                        "axis %lld lies outside a tensor of rank %d; %d to %d is wanted",
                        (long long)axis, rank, -rank, rank - 1);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return ENG_OK;
}

enum eng_status eng_infer_axes(const struct eng_shape *x, const int64_t *list, size_t n,
                               unsigned *marked, struct eng_error *err)
{
    unsigned found = 0;
    for (size_t i = 0; i < n; i++) {
        int axis = 0;
        enum eng_status status = eng_infer_axis(list[i], x->rank, &axis, err);
        if (status != ENG_OK) return status;
        if (found >> axis & 1) return eng_fail(err, ENG_FORMAT, "axis %d is named twice", axis);
        found |= 1u << axis;
    }
    *marked = found;
    return ENG_OK;
}
