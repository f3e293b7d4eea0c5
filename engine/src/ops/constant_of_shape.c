/*
 * A tensor of the shape that the input says, every element of which is `value`.
 *
 * Shapes: input [r] of int64, output of rank r; a scalar if r is 0. value: one element of any type,
 * absent: the float 0. Source: ONNX ConstantOfShape, versions 9, 20, 21.
 */
#include "base/error.h"
#include "ops/op.h"

#include <string.h>

struct attrs {
    const struct eng_tensor *value;
};

static const struct eng_field fields[] = {
    ENG_F_TENSOR(struct attrs, value, "the one element; absent: 0"),
};

static enum eng_status read_shape(const struct eng_tensor *input, struct eng_shape *y,
                                  struct eng_error *err)
{
    if (input->shape.dim[0] > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "'input' has %lld numbers; at most %d are wanted",
                        (long long)input->shape.dim[0], ENG_MAX_RANK);
    const int64_t *dim = input->data;
    *y = (struct eng_shape){.rank = (int)input->shape.dim[0]};
    for (int i = 0; i < y->rank; i++) {
        if (dim[i] < 0)
            return eng_fail(err, ENG_FORMAT, "dimension %d is %lld; 0 or more is wanted", i,
                            (long long)dim[i]);
        y->dim[i] = dim[i];
    }
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_shape y;
    enum eng_status status = eng_infer_constant(q, 0, "input", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 1, 1, err);
    if (status == ENG_OK) status = read_shape(q->in[0], &y, err);
    if (status != ENG_OK) return status;
    if (attrs->value && eng_shape_count(&attrs->value->shape) != 1)
        return eng_fail(err, ENG_FORMAT, "'value' has %lld elements; 1 is wanted",
                        (long long)eng_shape_count(&attrs->value->shape));
    eng_infer_output(q, 0, attrs->value ? attrs->value->dtype : ENG_FLOAT32, &y);
    return ENG_OK;
}

/* Fills by doubling what is there already. */
static void forward(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    char *y = call->out[0]->data;
    size_t n_bytes = (size_t)eng_tensor_bytes(call->out[0]);
    size_t done = eng_dtype_bytes(call->out[0]->dtype);
    if (!attrs->value || n_bytes == 0) {
        memset(y, 0, n_bytes);
        return;
    }
    memcpy(y, attrs->value->data, done);
    while (done < n_bytes) {
        size_t n = done < n_bytes - done ? done : n_bytes - done;
        memcpy(y + done, y, n);
        done += n;
    }
}

const struct eng_op eng_op_constant_of_shape = {
    .name = "ConstantOfShape",
    .domain = "",
    .opset_min = 9,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .infer = infer,
    .forward = forward,
};
