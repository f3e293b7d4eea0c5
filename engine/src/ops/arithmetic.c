/*
 * Functions of two tensors, elementwise; the shapes broadcast as in numpy: Y = A + B, A - B, A * B,
 * A / B, the rest of A / B, and PRelu: A where A >= 0, else A * B.
 *
 * Shapes: PRelu: Y has A's, to which B broadcasts.
 * Gradient: dA = dY (Add, Sub), dY * B (Mul), dY / B (Div), summed over the dimensions that A
 * repeats; B likewise, with dY/dB = 1, -1, A, -A / B^2.
 * Source: ONNX Add, Sub, Mul and Div, versions 7, 13, 14, Mod 10, 13, PRelu 7, 9, 16. Integers wrap
 * around, their quotient is truncated, and 0 where B is. What is subtracted or divided by is a
 * statistic of the data and not trained.
 */
#include "kernels/broadcast.h"

#include "base/error.h"
#include "ops/op.h"

struct mod {
    bool fmod;
};

static const struct eng_field mod_fields[] = {
    ENG_F_BOOL(struct mod, fmod, 0, "the rest has A's sign, not B's"),
};

static enum eng_binary mod_what(const void *attrs)
{
    return ((const struct mod *)attrs)->fmod ? ENG_REMAINDER : ENG_MODULO;
}

static enum eng_status infer(struct eng_op_infer *q, enum eng_binary what, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_binary_line_for(what, dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype),
                        what == ENG_MODULO ? "an integer, unless attribute 'fmod' is 1,"
                                           : "a number");
    enum eng_status status = eng_infer_dtype(q, 1, dtype, err);
    struct eng_shape y;
    if (status == ENG_OK) status = eng_infer_broadcast(&q->in[0]->shape, &q->in[1]->shape, &y, err);
    if (status == ENG_OK && what == ENG_PRELU) status = eng_infer_shape(q, 0, &y, err);
    if (status != ENG_OK) return status;
    eng_broadcast_plan(&q->in[0]->shape, &q->in[1]->shape, &y, q->state);
    eng_infer_output(q, 0, dtype, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call, enum eng_binary what)
{
    struct eng_tensor *y = call->out[0];
    eng_broadcast_forward(call->state, what, y->dtype, call->in[0]->data, call->in[1]->data,
                          call->activation, y->data, call->pool);
}

static void backward(const struct eng_op_call *call, enum eng_binary what)
{
    if (!call->grad_out[0]) return;
    for (size_t k = 0; k < 2; k++) {
        const float *other = what == ENG_MUL ? call->in[1 - k]->data : NULL;
        if (!call->grad_in[k]) continue;
        if (what == ENG_ADD || what == ENG_MUL)
            eng_broadcast_backward(call->state, k == 0, other, call->grad_out[0]->data,
                                   call->write_grad >> k & 1, call->grad_in[k]->data);
        else
            eng_broadcast_backward_slopes(call->state, what, k == 0, call->in[0]->data,
                                          call->in[1]->data, call->grad_out[0]->data,
                                          call->grad_in[k]->data);
    }
}

/* WHAT(node): which function; Mod's attribute says. */
#define ARITHMETIC(onnx_name, id, WHAT, since, ...)                                        \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err)       \
    {                                                                                      \
        return infer(q, WHAT(q), err);                                                     \
    }                                                                                      \
    static void id##_forward(const struct eng_op_call *call)                               \
    {                                                                                      \
        forward(call, WHAT(call));                                                         \
    }                                                                                      \
    static void id##_backward(const struct eng_op_call *call)                              \
    {                                                                                      \
        backward(call, WHAT(call));                                                        \
    }                                                                                      \
    const struct eng_op eng_op_##id = {.name = onnx_name,                                  \
                                       .domain = "",                                       \
                                       .opset_min = since,                                 \
                                       .opset_max = ENG_OPSET_MAX,                         \
                                       .in_min = 2,                                        \
                                       .in_max = 2,                                        \
                                       .out_min = 1,                                       \
                                       .out_max = 1,                                       \
                                       .flags = ENG_OP_IN_PLACE | ENG_OP_FUSES_ACTIVATION, \
                                       .follow = eng_follow_aligned,                       \
                                       .state_bytes = sizeof(struct eng_broadcast),        \
                                       .infer = id##_infer,                                \
                                       .forward = id##_forward,                            \
                                       .backward = id##_backward,                          \
                                       __VA_ARGS__}

#define ADD(node)   ENG_ADD
#define SUB(node)   ENG_SUB
#define MUL(node)   ENG_MUL
#define DIV(node)   ENG_DIV
#define MOD(node)   mod_what((node)->attrs)
#define PRELU(node) ENG_PRELU

ARITHMETIC("Add", add, ADD, ENG_OPSET_MIN, .trainable_inputs = 3, .writes_grad = 3);
ARITHMETIC("Sub", sub, SUB, ENG_OPSET_MIN, );
ARITHMETIC("Mul", mul, MUL, ENG_OPSET_MIN, .trainable_inputs = 3, .writes_grad = 3);
ARITHMETIC("Div", div, DIV, ENG_OPSET_MIN, );
ARITHMETIC("Mod", mod, MOD, 10, .attrs = mod_fields, .n_attrs = 1,
           .attrs_bytes = sizeof(struct mod));
ARITHMETIC("PRelu", prelu, PRELU, ENG_OPSET_MIN, .trainable_inputs = 2);
