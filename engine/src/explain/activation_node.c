#include "explain/activation_node.h"

#include "base/error.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_activation *act = q->attrs;
    if (!eng_activation_takes(act->kind, q->in[0]->dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 is of type %s, which %s does not take",
                        eng_dtype_name(q->in[0]->dtype), eng_activation_name(act->kind));
    eng_infer_same(q);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_activation_map_typed(*(const struct eng_activation *)call->attrs, x->dtype, x->data,
                             call->out[0]->data, (size_t)eng_shape_count(&x->shape), call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    eng_activation_backward(*(const struct eng_activation *)call->attrs, call->in[0]->data,
                            call->out[0]->data, call->grad_out[0]->data, call->grad_in[0]->data,
                            call->write_grad & 1, (size_t)eng_shape_count(&call->in[0]->shape));
}

const struct eng_op eng_explain_activation_op = {
    .name = "Activation",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .follow = eng_follow_aligned,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
};
