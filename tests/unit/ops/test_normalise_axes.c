#include "op_battery.h"

/* Whether elements i and k are normalised together: they differ along marked axes only. */
static bool together(const struct eng_shape *shape, unsigned marked, size_t i, size_t k)
{
    for (int d = 0; d < shape->rank; d++)
        if (!(marked >> d & 1) && op_index(shape, i, d) != op_index(shape, k, d)) return false;
    return true;
}

static unsigned marked_axes(const struct op_case *c, int rank)
{
    if (strcmp(c->op, "LpNormalization") == 0) {
        int64_t axis = op_attr_int(c, "axis", -1);
        return 1u << (axis < 0 ? axis + rank : axis);
    }
    unsigned marked = 0;
    const struct eng_attr *axes = op_attr(c, "axes");
    for (size_t i = 0; axes && i < axes->n; i++)
        marked |= 1u << (axes->ints[i] < 0 ? axes->ints[i] + rank : axes->ints[i]);
    return axes ? marked : 1 | 4 | 8;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *shape = &in[0].shape;
    unsigned marked = marked_axes(c, shape->rank);
    op_values_init(&out[0], *shape);
    for (size_t i = 0; i < in[0].n; i++) {
        double n = 0, sum = 0, l1 = 0, squares = 0, deviation = 0;
        for (size_t k = 0; k < in[0].n; k++) {
            if (!together(shape, marked, i, k)) continue;
            n++;
            sum += in[0].v[k];
            l1 += fabs(in[0].v[k]);
            squares += in[0].v[k] * in[0].v[k];
        }
        for (size_t k = 0; k < in[0].n; k++)
            if (together(shape, marked, i, k)) deviation += pow(in[0].v[k] - sum / n, 2) / n;
        double norm = op_attr_int(c, "p", 2) == 1 ? l1 : sqrt(squares);
        if (strcmp(c->op, "LpNormalization") == 0)
            out[0].v[i] = norm == 0 ? 0 : in[0].v[i] / norm;
        else
            out[0].v[i] = (in[0].v[i] - sum / n) / (sqrt(deviation) + 1e-9);
    }
}

static const double with_zeros[] = {0, 0, 0, 3, -4, 0};

#define LP  .op = "LpNormalization", .reference = reference, .n_in = 1
#define MVN .op = "MeanVarianceNormalization", .reference = reference, .n_in = 1

static const struct op_case cases[] = {
    {LP, .what = "rows", .in = {FLOATS(3, 20)}, .gradients = 1, .batched = 1},
    {LP, .what = "rows, L1", .attrs = {ATTR_INT("p", 1)}, .in = {FLOATS(3, 20)}, .gradients = 1,
     .batched = 1},
    {LP, .what = "channels", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(2, 5, 3, 4)},
     .gradients = 1, .batched = 1},
    {LP, .what = "channels, L1", .attrs = {ATTR_INT("axis", 1), ATTR_INT("p", 1)},
     .in = {FLOATS(2, 5, 3, 4)}, .gradients = 1, .batched = 1},
    {LP, .what = "wider than a tile", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(2, 3, 150)},
     .batched = 1},
    {LP, .what = "zeros",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 3), .values = with_zeros}}},
    {LP, .what = "zeros, L1", .attrs = {ATTR_INT("p", 1)},
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 3), .values = with_zeros}}},
    {LP, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 20)}},
    {MVN, .what = "channels by default", .in = {FLOATS(3, 2, 4, 5)}, .gradients = 1},
    {MVN, .what = "images", .attrs = {ATTR_INTS("axes", -1, 1, 2)}, .in = {FLOATS(3, 2, 4, 5)},
     .gradients = 1, .batched = 1},
    {MVN, .what = "far from 0", .opset = 9, .attrs = {ATTR_INTS("axes", 1)}, .low = 99, .high = 101,
     .in = {FLOATS(3, 50)}, .tolerance = 1e-4, .batched = 1},
    {MVN, .what = "doubles", .attrs = {ATTR_INTS("axes", 0)}, .in = {TYPED(ENG_FLOAT64, 5, 3)}},
    {.op = "LpNormalization",
     .what = "L3",
     .n_in = 1,
     .attrs = {ATTR_INT("p", 3)},
     .in = {FLOATS(2, 3)},
     .refusal = "p is 3, but must lie in 1 to 2"},
    {.op = "LpNormalization",
     .what = "axis too far",
     .n_in = 1,
     .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(2, 3)},
     .refusal = "axis 2 lies outside a tensor of rank 2"},
    {.op = "LpNormalization",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT64, 2, 3)},
     .refusal = "int64; float or double is wanted"},
    {.op = "MeanVarianceNormalization",
     .what = "rank 3",
     .n_in = 1,
     .in = {FLOATS(2, 3, 4)},
     .refusal = "axis 3 lies outside a tensor of rank 3"},
    {.op = "MeanVarianceNormalization",
     .what = "an axis twice",
     .n_in = 1,
     .attrs = {ATTR_INTS("axes", 1, -1)},
     .in = {FLOATS(2, 3)},
     .refusal = "axis 1 is named twice"},
};

int main(void)
{
    return OP_BATTERY("normalise_axes", cases);
}
