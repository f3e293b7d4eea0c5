#include "op_battery.h"
#include "op_index.h"

static double combined(const struct op_case *c, double old, double update)
{
    const struct eng_attr *attr = op_attr(c, "reduction");
    const char *how = attr ? attr->s : "none";
    bool is_bool = c->in[0].dtype == ENG_BOOL;
    if (strcmp(how, "add") == 0) return is_bool ? fmax(old, update) : old + update;
    if (strcmp(how, "mul") == 0) return old * update;
    if (strcmp(how, "max") == 0)
        return isnan(old) || isnan(update) ? (double)NAN : fmax(old, update);
    if (strcmp(how, "min") == 0) return fmin(old, update);
    return update;
}

/* Where update i goes in the data; -1: nowhere. */
static int64_t target(const struct op_case *c, const struct op_values *in, size_t i)
{
    const struct eng_shape *x = &in[0].shape, *updates = &in[2].shape;
    int64_t of_update[ENG_MAX_RANK], index[ENG_MAX_RANK], axis = op_attr_int(c, "axis", 0);
    bool nd = strcmp(c->op, "ScatterND") == 0;
    int last = in[1].shape.rank - 1, n = nd ? (int)in[1].shape.dim[last] : 0;
    size_t tuple = 0;
    if (axis < 0) axis += x->rank;
    op_indices(updates, i, of_update);
    for (int d = 0; nd && d < last; d++)
        tuple = tuple * (size_t)in[1].shape.dim[d] + (size_t)of_update[d];
    for (int d = 0; d < x->rank; d++) {
        bool named = nd ? d < n : d == axis;
        index[d] = nd ? of_update[named ? 0 : d - n + last] : of_update[d];
        if (!named) continue;
        index[d] = (int64_t)in[1].v[nd ? tuple * (size_t)n + (size_t)d : i];
        if (index[d] < 0) index[d] += x->dim[d];
        if (index[d] < 0 || index[d] >= x->dim[d]) return -1;
    }
    return (int64_t)op_offset(x, index);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    op_values_init(&out[0], in[0].shape);
    memcpy(out[0].v, in[0].v, in[0].n * sizeof *in[0].v);
    for (size_t i = 0; i < in[2].n; i++) {
        int64_t at = target(c, in, i);
        if (at >= 0) out[0].v[at] = combined(c, out[0].v[at], in[2].v[i]);
    }
}

#define ELEMENTS .op = "ScatterElements", .reference = reference, .n_in = 3
#define ND       .op = "ScatterND", .reference = reference, .n_in = 3
#define AXIS(A)  ATTR_INT("axis", A)
#define HOW(H)   ATTR_STRING("reduction", H)
#define AT(DIMS, ...)                                                       \
    {                                                                       \
        .dtype = ENG_INT64, .shape = SHAPE DIMS, .values = (const double[]) \
        {                                                                   \
            __VA_ARGS__                                                     \
        }                                                                   \
    }
#define KNOWN_AT(DIMS, ...)                                                               \
    {                                                                                     \
        .dtype = ENG_INT64, .shape = SHAPE DIMS, .values = (const double[]){__VA_ARGS__}, \
        .constant = true                                                                  \
    }
#define OF_TYPE(T) .in = {TYPED(T, 4), AT((5), 2, 0, 2, 1, -2), TYPED(T, 5)}

static const struct op_case cases[] = {
    {ELEMENTS, .what = "rows", .in = {FLOATS(3, 3), AT((2, 3), 1, 0, 2, 0, 2, -2), FLOATS(2, 3)},
     .gradients = 5},
    {ELEMENTS, .what = "last axis", .attrs = {AXIS(-1)},
     .in = {FLOATS(2, 4), AT((2, 2), 1, 3, -1, 0), FLOATS(2, 2)}, .gradients = 5},
    {ELEMENTS, .what = "computed indices outside", .refused_if_known = true,
     .in = {FLOATS(3), AT((4), 3, -4, 1, 9e18), FLOATS(4)}, .gradients = 5},
    {ELEMENTS, .what = "add", .attrs = {HOW("add")},
     .in = {FLOATS(3), AT((4), 1, 1, 0, -1), FLOATS(4)}, .gradients = 5},
    {ELEMENTS, .what = "mul", .attrs = {HOW("mul")},
     .in = {FLOATS(3), AT((4), 1, 1, 0, -1), FLOATS(4)}},
    {ELEMENTS, .what = "max", .opset = 18, .attrs = {HOW("max")},
     .in = {FLOATS(3), AT((4), 1, 1, 0, -1), FLOATS(4)}},
    {ELEMENTS, .what = "max with NaN", .opset = 18, .attrs = {HOW("max")},
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2), .values = (const double[]){NAN, 1}},
            AT((2), 0, 1),
            {.dtype = ENG_FLOAT32, .shape = SHAPE(2), .values = (const double[]){2, NAN}}}},
    {ELEMENTS, .what = "min", .opset = 18, .attrs = {HOW("min")},
     .in = {FLOATS(3), AT((4), 1, 1, 0, -1), FLOATS(4)}},
    {ELEMENTS, .what = "doubles", .attrs = {HOW("add")}, OF_TYPE(ENG_FLOAT64)},
    {ELEMENTS, .what = "int64", .attrs = {HOW("add")}, OF_TYPE(ENG_INT64)},
    {ELEMENTS, .what = "int32", .attrs = {HOW("mul")}, OF_TYPE(ENG_INT32)},
    {ELEMENTS, .what = "int16", .opset = 18, .attrs = {HOW("min")}, OF_TYPE(ENG_INT16)},
    {ELEMENTS, .what = "int8", .opset = 18, .attrs = {HOW("max")}, OF_TYPE(ENG_INT8)},
    {ELEMENTS, .what = "uint64", .attrs = {HOW("mul")}, OF_TYPE(ENG_UINT64)},
    {ELEMENTS, .what = "uint32", .attrs = {HOW("add")}, OF_TYPE(ENG_UINT32)},
    {ELEMENTS, .what = "uint16", .opset = 18, .attrs = {HOW("max")}, OF_TYPE(ENG_UINT16)},
    {ELEMENTS, .what = "uint8", .attrs = {HOW("add")}, OF_TYPE(ENG_UINT8)},
    {ELEMENTS, .what = "bool", .attrs = {HOW("add")}, OF_TYPE(ENG_BOOL)},
    {ELEMENTS, .what = "bool, mul", .attrs = {HOW("mul")}, OF_TYPE(ENG_BOOL)},
    {.op = "Scatter",
     .reference = reference,
     .n_in = 3,
     .what = "its old name",
     .opset = 9,
     .attrs = {AXIS(1)},
     .in = {FLOATS(1, 5), AT((1, 2), 1, 3), FLOATS(1, 2)},
     .gradients = 5},
    {ND, .what = "elements", .in = {FLOATS(8), AT((4, 1), 4, 3, 1, -1), FLOATS(4)}, .gradients = 5},
    {ND, .what = "blocks", .in = {FLOATS(4, 3, 2), KNOWN_AT((2, 1), 0, 2), FLOATS(2, 3, 2)},
     .gradients = 5},
    {ND, .what = "tuples", .in = {FLOATS(3, 4), AT((2, 1, 2), 0, 1, -1, -1), FLOATS(2, 1)},
     .gradients = 5},
    {ND, .what = "add", .attrs = {HOW("add")},
     .in = {FLOATS(4, 2), AT((3, 1), 1, 1, 0), FLOATS(3, 2)}, .gradients = 5},
    {ND, .what = "mul", .attrs = {HOW("mul")},
     .in = {FLOATS(4, 2), AT((3, 1), 1, 1, 0), FLOATS(3, 2)}},
    {ND, .what = "computed indices outside", .refused_if_known = true,
     .in = {FLOATS(3, 2), AT((3, 1), 3, -4, 1), FLOATS(3, 2)}, .gradients = 5},
    {ND, .what = "int64", .in = {TYPED(ENG_INT64, 3), AT((2, 1), 2, 0), TYPED(ENG_INT64, 2)}},
    {.op = "Scatter",
     .what = "a known index outside",
     .opset = 10,
     .n_in = 3,
     .in = {FLOATS(3), KNOWN_AT((1), 3), FLOATS(1)},
     .refusal = "index 3 lies outside a dimension of length 3"},
    {.op = "Scatter",
     .what = "opset 11",
     .opset = 11,
     .n_in = 3,
     .in = {FLOATS(3), AT((1), 0), FLOATS(1)},
     .refusal = "opsets 9 to 10"},
    {.op = "ScatterElements",
     .what = "updates of another shape",
     .n_in = 3,
     .in = {FLOATS(3), AT((1), 0), FLOATS(2)},
     .refusal = "input 2 has shape [2]; [1] is wanted"},
    {.op = "ScatterElements",
     .what = "updates of another type",
     .n_in = 3,
     .in = {FLOATS(3), AT((1), 0), TYPED(ENG_INT64, 1)},
     .refusal = "int64; float is wanted"},
    {.op = "ScatterElements",
     .what = "add in opset 15",
     .opset = 15,
     .n_in = 3,
     .attrs = {HOW("add")},
     .in = {FLOATS(3), AT((1), 0), FLOATS(1)},
     .refusal = "from opset 16 on"},
    {.op = "ScatterElements",
     .what = "max in opset 17",
     .n_in = 3,
     .attrs = {HOW("max")},
     .in = {FLOATS(3), AT((1), 0), FLOATS(1)},
     .refusal = "from opset 18 on"},
    {.op = "ScatterElements",
     .what = "mul in training",
     .n_in = 3,
     .attrs = {HOW("mul")},
     .in = {FLOATS(3), AT((1), 0), FLOATS(1)},
     .gradients = 5,
     .refusal = "reduction 'mul' has no gradient"},
    {.op = "ScatterND",
     .what = "updates of another shape",
     .n_in = 3,
     .in = {FLOATS(3, 2), AT((1, 1), 0), FLOATS(1)},
     .refusal = "input 2 has shape [1]; [1, 2] is wanted"},
    {.op = "ScatterND",
     .what = "a known index outside",
     .n_in = 3,
     .in = {FLOATS(3, 2), KNOWN_AT((1, 1), -4), FLOATS(1, 2)},
     .refusal = "index -4 lies outside"},
};

int main(void)
{
    return OP_BATTERY("scatter", cases);
}
