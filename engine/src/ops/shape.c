/*
 * Shape: the dimensions of a tensor as int64 [rank], those from `start` up to `end`.
 * Size: how many elements it has, an int64 scalar.
 *
 * Both are known while planning: they do not look at the elements. start and end count from the
 * back if negative and are cut to 0 .. rank. Source: ONNX Shape 1, 13, 15, 19, 21; Size 1, 13,
 * 19, 21.
 */
#include "base/error.h"
#include "ops/op.h"

struct attrs {
    int64_t start, end;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, start, 0, INT32_MIN, INT32_MAX, "the first dimension"),
    ENG_F_INT(struct attrs, end, INT32_MAX, INT32_MIN, INT32_MAX,
              "the dimension after the last; absent: up to the end"),
};

static int cut(int64_t dimension, int rank)
{
    int64_t from_front = dimension < 0 ? dimension + rank : dimension;
    return (int)(from_front < 0 ? 0 : from_front > rank ? rank : from_front);
}

static enum eng_status shape_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    if (q->opset < 15 && (attrs->start != 0 || attrs->end != INT32_MAX))
        return eng_fail(err, ENG_FORMAT,
                        "has the attribute start or end, which came with opset 15; the file uses "
                        "opset %d",
                        q->opset);
    int rank = q->in[0]->shape.rank;
    int *start = q->state, end = cut(attrs->end, rank);
    *start = cut(attrs->start, rank);
    struct eng_shape y = {.rank = 1, .dim = {end > *start ? end - *start : 0}};
    eng_infer_output(q, 0, ENG_INT64, &y);
    return ENG_OK;
}

static void shape_forward(const struct eng_op_call *call)
{
    const int *start = call->state;
    int64_t *y = call->out[0]->data;
    for (int64_t i = 0; i < call->out[0]->shape.dim[0]; i++)
        y[i] = call->in[0]->shape.dim[*start + i];
}

static enum eng_status size_infer(struct eng_op_infer *q, struct eng_error *err)
{
    (void)err;
    eng_infer_output(q, 0, ENG_INT64, &(struct eng_shape){.rank = 0});
    return ENG_OK;
}

static void size_forward(const struct eng_op_call *call)
{
    *(int64_t *)call->out[0]->data = eng_shape_count(&call->in[0]->shape);
}

const struct eng_op eng_op_shape = {
    .name = "Shape",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_SHAPE_ONLY,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(int),
    .infer = shape_infer,
    .forward = shape_forward,
};

const struct eng_op eng_op_size = {
    .name = "Size",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_SHAPE_ONLY,
    .infer = size_infer,
    .forward = size_forward,
};
