/* The forms that operators have in older opsets, where an operator's own file does not tell them.
 */
#include "base/error.h"
#include "ops/op.h"

#include <stdio.h>

enum { ALWAYS = ENG_OPSET_MAX + 1 };

#define BIT(type) (1u << ENG_##type)
#define FLOATS    (BIT(FLOAT32) | BIT(FLOAT64))
#define WORDS     (BIT(INT32) | BIT(INT64) | BIT(UINT32) | BIT(UINT64))
#define BYTES     (BIT(INT8) | BIT(UINT8))
#define SHORT     (BYTES | BIT(INT16) | BIT(UINT16))

#define INPUTS(id, before, min, max) extern const struct eng_op eng_op_##id;
#define TYPES(id, before, types)     extern const struct eng_op eng_op_##id;
#include "ops/earlier.def"
#undef INPUTS
#undef TYPES

static const struct {
    const struct eng_op *op;
    int before;
    size_t min, max;
} inputs[] = {
#define INPUTS(id, before, min, max) {&eng_op_##id, before, min, max},
#define TYPES(id, before, types)
#include "ops/earlier.def"
#undef INPUTS
#undef TYPES
};

static const struct {
    const struct eng_op *op;
    int before;
    unsigned types;
} types[] = {
#define INPUTS(id, before, min, max)
#define TYPES(id, before, types) {&eng_op_##id, before, types},
#include "ops/earlier.def"
#undef INPUTS
#undef TYPES
};

enum eng_status eng_op_check_inputs(const struct eng_op *op, int opset, size_t n_in,
                                    struct eng_error *err)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (inputs[i].op != op || opset >= inputs[i].before) continue;
        if (n_in < inputs[i].min || n_in > inputs[i].max)
            return eng_fail(err, ENG_FORMAT,
                            "has %zu inputs, wanted %zu before opset %d; the file uses opset %d",
                            n_in, inputs[i].max, inputs[i].before, opset);
    }
    return ENG_OK;
}

static enum eng_status refuse_type(enum eng_dtype found, unsigned wanted, int before,
                                   struct eng_error *err)
{
    char names[160] = "";
    size_t used = 0;
    for (int type = 0; type < 32 && used < sizeof names; type++)
        if (wanted >> type & 1)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     eng_dtype_name((enum eng_dtype)type));
    if (before == ALWAYS)
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; one of %s is wanted",
                        eng_dtype_name(found), names);
    return eng_fail(err, ENG_UNSUPPORTED,
                    "input 0 has element type %s; before opset %d one of %s is wanted",
                    eng_dtype_name(found), before, names);
}

enum eng_status eng_op_infer(const struct eng_op *op, struct eng_op_infer *q, struct eng_error *err)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].op != op || q->opset >= types[i].before) continue;
        if (!(types[i].types >> q->in[0]->dtype & 1))
            return refuse_type(q->in[0]->dtype, types[i].types, types[i].before, err);
        break;
    }
    return op->infer(q, err);
}
