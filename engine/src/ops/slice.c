/*
 * Y[.., i, ..] = X[.., start + i step, ..] along some axes; of any type.
 *
 * starts, ends and axes are attributes up to opset 9; from opset 10 on, with steps, inputs 1 to 4,
 * whose values must be known while planning. They count as in Python: negative ones from the end,
 * beyond the end is the end; axes left out are 0, 1, ..; steps left out are 1 and may be negative.
 * Gradient: dY moved back, 0 elsewhere. Source: ONNX Slice, versions 1, 10, 11, 13.
 */
#include "base/error.h"
#include "ops/move.h"

enum { ARE_INPUTS = 10, STARTS = 1, ENDS, AXES, STEPS };

#define ANY 9.3e18 /* beyond every int64 */

struct attrs {
    struct eng_ints starts, ends, axes;
};

static const struct eng_field fields[] = {
    ENG_F_INTS(struct attrs, starts, -ANY, ANY, "up to opset 9: the first of each axis"),
    ENG_F_INTS(struct attrs, ends, -ANY, ANY, "up to opset 9: behind the last"),
    ENG_F_INTS(struct attrs, axes, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "up to opset 9: which axes"),
};

struct bounds {
    struct eng_ints starts, ends, axes, steps;
};

static enum eng_status read_input(const struct eng_op_infer *q, size_t k, const char *name,
                                  struct eng_ints *out, struct eng_error *err)
{
    return k < q->n_in && q->in[k] ? eng_infer_ints(q, k, name, out, err) : ENG_OK;
}

static enum eng_status read_bounds(const struct eng_op_infer *q, struct bounds *b,
                                   struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    if (q->opset < ARE_INPUTS) {
        if (q->n_in > 1)
            return eng_fail(err, ENG_FORMAT,
                            "in opset %d starts and ends are attributes, not inputs", q->opset);
        *b = (struct bounds){.starts = attrs->starts, .ends = attrs->ends, .axes = attrs->axes};
        return ENG_OK;
    }
    if (attrs->starts.n + attrs->ends.n + attrs->axes.n > 0)
        return eng_fail(err, ENG_FORMAT,
                        "in opset %d starts, ends and axes are inputs, not attributes", q->opset);
    if (q->n_in <= ENDS || !q->in[STARTS] || !q->in[ENDS])
        return eng_fail(err, ENG_FORMAT, "input 1 (starts) or input 2 (ends) is missing");
    enum eng_status status = read_input(q, STARTS, "starts", &b->starts, err);
    if (status == ENG_OK) status = read_input(q, ENDS, "ends", &b->ends, err);
    if (status == ENG_OK) status = read_input(q, AXES, "axes", &b->axes, err);
    if (status == ENG_OK) status = read_input(q, STEPS, "steps", &b->steps, err);
    return status;
}

/* Fills in what is left out. */
static enum eng_status complete(struct bounds *b, bool has_axes, bool has_steps,
                                struct eng_error *err)
{
    int n = b->starts.n;
    for (; !has_axes && b->axes.n < n; b->axes.n++)
        b->axes.v[b->axes.n] = b->axes.n;
    for (; !has_steps && b->steps.n < n; b->steps.n++)
        b->steps.v[b->steps.n] = 1;
    if (b->ends.n == n && b->axes.n == n && b->steps.n == n) return ENG_OK;
    return eng_fail(err, ENG_FORMAT,
                    "%d starts, %d ends, %d axes and %d steps; equally many are wanted", n,
                    b->ends.n, b->axes.n, b->steps.n);
}

static enum eng_status find_bounds(const struct eng_op_infer *q, struct bounds *b,
                                   struct eng_error *err)
{
    *b = (struct bounds){.starts = {0}};
    enum eng_status status = read_bounds(q, b, err);
    bool has_axes = q->opset < ARE_INPUTS ? b->axes.n > 0 : q->n_in > AXES && q->in[AXES];
    return status == ENG_OK ? complete(b, has_axes, q->n_in > STEPS && q->in[STEPS], err) : status;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* How one dimension is sliced. */
struct range {
    int64_t start, step, n;
};

/* A step beyond the length goes as far as the length itself. */
static struct range range_of(int64_t length, int64_t start, int64_t end, int64_t step)
{
    int64_t most = length > 0 ? length : 1;
    struct range r = {.step = clamp(step, -most, most)};
    if (start < 0) start += length;
    if (end < 0) end += length;
    if (r.step > 0) {
        r.start = clamp(start, 0, length);
        end = clamp(end, 0, length);
        r.n = end > r.start ? (end - r.start + r.step - 1) / r.step : 0;
    } else {
        r.start = clamp(start, 0, length - 1);
        end = clamp(end, -1, length - 1);
        r.n = r.start > end ? (r.start - end - r.step - 1) / -r.step : 0;
    }
    if (length == 0) r.n = 0;
    return r;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_box *box = q->state;
    struct bounds b;
    unsigned axes;
    enum eng_status status = find_bounds(q, &b, err);
    if (status == ENG_OK) status = eng_infer_axes(x, b.axes.v, (size_t)b.axes.n, &axes, err);
    if (status != ENG_OK) return status;

    struct range ranges[ENG_MAX_RANK];
    for (int d = 0; d < x->rank; d++)
        ranges[d] = (struct range){.step = 1, .n = x->dim[d]};
    for (int i = 0; i < b.axes.n; i++) {
        int64_t axis = b.axes.v[i] < 0 ? b.axes.v[i] + x->rank : b.axes.v[i];
        if (b.steps.v[i] == 0)
            return eng_fail(err, ENG_FORMAT, "the step along axis %lld is 0", (long long)axis);
        ranges[axis] = range_of(x->dim[axis], b.starts.v[i], b.ends.v[i], b.steps.v[i]);
    }
    struct eng_shape y = {.rank = x->rank};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = ranges[d].n;
    ptrdiff_t from[ENG_MAX_RANK], to[ENG_MAX_RANK];
    eng_box_steps(x, from);
    eng_box_steps(&y, to);
    for (int d = 0; d < y.rank; d++) {
        eng_box_push(box, y.dim[d], from[d] * ranges[d].step, to[d]);
        if (y.dim[d] > 0) box->from_start += from[d] * ranges[d].start;
    }
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

/* What keeps its length and order keeps its elements. */
static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    struct bounds b;
    int rank = q->in[0]->shape.rank;
    if (k > 0 || find_bounds(q, &b, NULL) != ENG_OK) return ENG_AXIS_MIXED;
    for (int i = 0; i < b.axes.n; i++)
        if ((b.axes.v[i] + rank) % rank == axis && b.steps.v[i] != 1) return ENG_AXIS_MIXED;
    return eng_follow_aligned(q, k, axis);
}

const struct eng_op eng_op_slice = {
    .name = "Slice",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 5,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_box),
    .infer = infer,
    .follow = follow,
    .forward = eng_move_box_forward,
    .backward = eng_move_box_backward,
};
