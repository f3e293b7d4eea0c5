/* The table of operators, built from ops.def. */
#include "base/error.h"
#include "ops/op.h"

#include <string.h>

#define OP(file, name) extern const struct eng_op eng_op_##name;
#include "ops/ops.def"
#undef OP

static const struct eng_op *const rows[] = {
#define OP(file, name) &eng_op_##name,
#include "ops/ops.def"
#undef OP
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

size_t eng_op_count(void)
{
    return N_ROWS;
}

const struct eng_op *eng_op_at(size_t i)
{
    return i < N_ROWS ? rows[i] : NULL;
}

static bool is_default_domain(const char *domain)
{
    return domain[0] == '\0' || strcmp(domain, "ai.onnx") == 0;
}

static bool same_domain(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (is_default_domain(a) && is_default_domain(b));
}

enum eng_status eng_op_find(const char *domain, const char *name, int opset,
                            const struct eng_op **out, struct eng_error *err)
{
    const char *wanted = domain ? domain : "";
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct eng_op *op = rows[i];
        if (strcmp(op->name, name) != 0 || !same_domain(op->domain, wanted)) continue;
        if (opset < op->opset_min || opset > op->opset_max)
            return eng_fail(err, ENG_UNSUPPORTED,
                            "operator %s is known for opsets %d to %d, not for opset %d", name,
                            op->opset_min, op->opset_max, opset);
        *out = op;
        return ENG_OK;
    }
    return eng_fail(err, ENG_UNSUPPORTED, "operator '%s' of domain '%s' is not known", name,
                    is_default_domain(wanted) ? "ai.onnx" : wanted);
}

void eng_op_forward(const struct eng_op *op, const struct eng_op_call *call)
{
    op->forward(call);
    struct eng_tensor *y = call->n_out ? call->out[0] : NULL;
    if (call->activation.kind == ENG_ACT_NONE || !y || y->dtype == ENG_FLOAT32) return;
    eng_activation_map_typed(call->activation, y->dtype, y->data, y->data,
                             (size_t)eng_shape_count(&y->shape), call->pool);
}

static double most_elements(const struct eng_op_infer *q, bool looks_at_inputs)
{
    int64_t most = 0;
    for (size_t k = looks_at_inputs ? 0 : q->n_in; k < q->n_in + q->n_out; k++) {
        const struct eng_tensor *t = k < q->n_in ? q->in[k] : q->out[k - q->n_in];
        int64_t n = t ? eng_shape_count(&t->shape) : 0;
        if (n > most) most = n;
    }
    return (double)most;
}

double eng_op_work(const struct eng_op *op, const struct eng_op_infer *q)
{
    double work = most_elements(q, !(op->flags & ENG_OP_SHAPE_ONLY));
    double flops = op->flops ? op->flops(q) : 0, visits = op->visits ? op->visits(q) : 0;
    work = flops > work ? flops : work;
    return visits > work ? visits : work;
}
