/*
 * A value that stands in the graph.
 *
 * Shapes: those of the tensor; a scalar for value_float and value_int, [n] for the lists.
 * Source: ONNX Constant, versions 1, 9, 11, 12, 13. Strings and sparse tensors are refused.
 */
#include "base/error.h"
#include "ops/attrs.h"
#include "ops/op.h"

#include <string.h>

struct attrs {
    const struct eng_tensor *value;
    const struct eng_attr *value_float, *value_floats, *value_int, *value_ints;
};

static const struct eng_field fields[] = {
    ENG_F_TENSOR(struct attrs, value, "the value as a tensor"),
    ENG_F_ATTR(struct attrs, value_float, "one float"),
    ENG_F_ATTR(struct attrs, value_floats, "a list of floats"),
    ENG_F_ATTR(struct attrs, value_int, "one integer"),
    ENG_F_ATTR(struct attrs, value_ints, "a list of integers"),
};

/* Adds what one attribute holds, if it is there. Borrowed from the attribute. */
static enum eng_status take(const struct eng_attr *attr, enum eng_attr_type wanted, int *n_found,
                            struct eng_tensor *out, struct eng_error *err)
{
    if (!attr) return ENG_OK;
    if (attr->type != wanted)
        return eng_fail(err, ENG_ARGUMENT, "attribute '%s' has the wrong type", attr->name);
    bool is_float = wanted == ENG_ATTR_FLOAT || wanted == ENG_ATTR_FLOATS;
    bool is_list = wanted == ENG_ATTR_FLOATS || wanted == ENG_ATTR_INTS;
    const void *data = is_list ? (is_float ? (const void *)attr->floats : attr->ints)
                               : (is_float ? (const void *)&attr->f : &attr->i);
    *out =
        (struct eng_tensor){.dtype = is_float ? ENG_FLOAT32 : ENG_INT64,
                            .shape = {.rank = is_list, .dim = {(int64_t)(is_list ? attr->n : 0)}},
                            .data = (void *)data};
    ++*n_found;
    return ENG_OK;
}

/* The one value that the attributes give, whichever form it has. */
static enum eng_status find_value(const struct attrs *attrs, struct eng_tensor *out,
                                  struct eng_error *err)
{
    int n_found = 0;
    if (attrs->value) {
        *out = *attrs->value;
        n_found = 1;
    }
    enum eng_status status = take(attrs->value_float, ENG_ATTR_FLOAT, &n_found, out, err);
    if (status == ENG_OK) status = take(attrs->value_floats, ENG_ATTR_FLOATS, &n_found, out, err);
    if (status == ENG_OK) status = take(attrs->value_int, ENG_ATTR_INT, &n_found, out, err);
    if (status == ENG_OK) status = take(attrs->value_ints, ENG_ATTR_INTS, &n_found, out, err);
    if (status == ENG_OK && n_found != 1)
        return eng_fail(err, ENG_FORMAT, "has %d value attributes; one is wanted", n_found);
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_tensor *value = q->state;
    bool is_plain =
        attrs->value_float || attrs->value_floats || attrs->value_int || attrs->value_ints;
    enum eng_status status = eng_infer_since(q, 12, is_plain, "a value that is no tensor", err);
    if (status == ENG_OK) status = find_value(attrs, value, err);
    if (status == ENG_OK) eng_infer_output(q, 0, value->dtype, &value->shape);
    return status;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *value = call->state;
    size_t n_bytes = (size_t)eng_tensor_bytes(value);
    if (n_bytes > 0) memcpy(call->out[0]->data, value->data, n_bytes);
}

const struct eng_op eng_op_constant = {
    .name = "Constant",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 0,
    .in_max = 0,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_tensor),
    .infer = infer,
    .forward = forward,
};
