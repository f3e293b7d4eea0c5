#include "op_battery.h"
#include "op_index.h"

static int64_t count(const struct eng_shape *shape, int from, int to)
{
    int64_t n = 1;
    for (int d = from; d < to; d++)
        n *= shape->dim[d];
    return n;
}

/* Index i of input 1, seen from a dimension of that length; -1: outside. */
static int64_t index_at(const struct op_values *in, size_t i, int64_t length)
{
    int64_t index = (int64_t)in[1].v[i];
    if (index < 0) index += length;
    return index < 0 || index >= length ? -1 : index;
}

static void gather(const struct op_case *c, const struct op_values *in, struct op_values *out)
{
    const struct eng_shape *x = &in[0].shape;
    int axis = (int)op_attr_int(c, "axis", 0);
    if (axis < 0) axis += x->rank;
    struct eng_shape y = {.rank = x->rank - 1 + in[1].shape.rank};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = d < axis                      ? x->dim[d]
                   : d < axis + in[1].shape.rank ? in[1].shape.dim[d - axis]
                                                 : x->dim[d - in[1].shape.rank + 1];
    op_values_init(&out[0], y);
    size_t inner = (size_t)count(x, axis + 1, x->rank), length = (size_t)x->dim[axis];
    for (size_t i = 0; i < out[0].n; i++) {
        size_t outer = i / inner / in[1].n, rest = i % inner;
        int64_t j = index_at(in, i / inner % in[1].n, (int64_t)length);
        out[0].v[i] = j < 0 ? 0 : in[0].v[(outer * length + (size_t)j) * inner + rest];
    }
}

static void gather_elements(const struct op_case *c, const struct op_values *in,
                            struct op_values *out)
{
    const struct eng_shape *x = &in[0].shape;
    int axis = (int)op_attr_int(c, "axis", 0);
    if (axis < 0) axis += x->rank;
    op_values_init(&out[0], in[1].shape);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t index[ENG_MAX_RANK];
        op_indices(&in[1].shape, i, index);
        index[axis] = index_at(in, i, x->dim[axis]);
        out[0].v[i] = index[axis] < 0 ? 0 : op_at(&in[0], index);
    }
}

static void gather_nd(const struct op_case *c, const struct op_values *in, struct op_values *out)
{
    const struct eng_shape *x = &in[0].shape, *indices = &in[1].shape;
    int shared = (int)op_attr_int(c, "batch_dims", 0), last = indices->rank - 1;
    int n = (int)indices->dim[last];
    struct eng_shape y = {.rank = last + x->rank - shared - n};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = d < last ? indices->dim[d] : x->dim[d - last + shared + n];
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t of_y[ENG_MAX_RANK], of_x[ENG_MAX_RANK], tuple = 0;
        bool inside = true;
        op_indices(&y, i, of_y);
        for (int d = 0; d < last; d++)
            tuple = tuple * indices->dim[d] + of_y[d];
        for (int d = 0; d < x->rank; d++)
            of_x[d] = d < shared       ? of_y[d]
                      : d < shared + n ? index_at(in, (size_t)(tuple * n + d - shared), x->dim[d])
                                       : of_y[d - shared - n + last];
        for (int d = 0; d < x->rank; d++)
            inside = inside && of_x[d] >= 0;
        out[0].v[i] = inside ? op_at(&in[0], of_x) : 0;
    }
}

/* Y[.., j] = X[.., index j]; of a list, a row. */
static void extract(const struct op_values *in, struct op_values *out)
{
    struct eng_shape y = in[0].shape;
    int64_t length = y.dim[y.rank - 1];
    if (y.rank == 1) y = (struct eng_shape){.rank = 2, .dim = {1, length}};
    y.dim[y.rank - 1] = (int64_t)in[1].n;
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t j = index_at(in, i % in[1].n, length);
        out[0].v[i] = j < 0 ? 0 : in[0].v[i / in[1].n * (size_t)length + (size_t)j];
    }
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    if (strcmp(c->op, "Gather") == 0)
        gather(c, in, out);
    else if (strcmp(c->op, "GatherElements") == 0)
        gather_elements(c, in, out);
    else if (strcmp(c->op, "ArrayFeatureExtractor") == 0)
        extract(in, out);
    else
        gather_nd(c, in, out);
}

#define GATHER   .op = "Gather", .reference = reference, .n_in = 2
#define ELEMENTS .op = "GatherElements", .reference = reference, .n_in = 2
#define ND       .op = "GatherND", .reference = reference, .n_in = 2
#define EXTRACT                                                                                \
    .op = "ArrayFeatureExtractor", .domain = "ai.onnx.ml", .opset = 1, .reference = reference, \
    .n_in = 2
#define AXIS(A) .attrs = {ATTR_INT("axis", A)}
#define AT(DIMS, ...)                                                       \
    {                                                                       \
        .dtype = ENG_INT64, .shape = SHAPE DIMS, .values = (const double[]) \
        {                                                                   \
            __VA_ARGS__                                                     \
        }                                                                   \
    }
#define AT32(DIMS, ...)                                                     \
    {                                                                       \
        .dtype = ENG_INT32, .shape = SHAPE DIMS, .values = (const double[]) \
        {                                                                   \
            __VA_ARGS__                                                     \
        }                                                                   \
    }
#define KNOWN_AT(DIMS, ...)                                                               \
    {                                                                                     \
        .dtype = ENG_INT64, .shape = SHAPE DIMS, .values = (const double[]){__VA_ARGS__}, \
        .constant = true                                                                  \
    }

static const struct op_case cases[] = {
    {GATHER, .what = "rows", .in = {FLOATS(4, 3), AT((3), 2, 0, 2)}, .gradients = 1},
    {GATHER, .what = "the class token", AXIS(1),
     .in = {FLOATS(2, 5, 3), {.dtype = ENG_INT64, .values = (const double[]){0}, .constant = true}},
     .gradients = 1, .batched = 1},
    {GATHER, .what = "a table of indices", AXIS(1),
     .in = {FLOATS(2, 4, 3), AT((2, 3), 0, -1, 3, -4, 1, 1)}, .gradients = 1, .batched = 1},
    {GATHER, .what = "single elements", AXIS(-1), .in = {FLOATS(3, 4), KNOWN_AT((2), 3, 1)},
     .gradients = 1, .batched = 1},
    {GATHER, .what = "int32 indices", .in = {FLOATS(4, 3), AT32((2), -1, 1)}, .gradients = 1},
    {GATHER, .what = "computed indices outside", .refused_if_known = true,
     .in = {FLOATS(4, 3), AT((5), 4, -5, 9e18, -9e18, 1)}, .gradients = 1},
    {GATHER, .what = "of a vector", .in = {FLOATS(5), AT((1, 2), 4, 0)}, .gradients = 1},
    {GATHER, .what = "from nothing", .refused_if_known = true, .in = {FLOATS(0, 2), AT((1), 0)}},
    {GATHER, .what = "nothing", .in = {FLOATS(2, 2), {.dtype = ENG_INT64, .shape = SHAPE(0)}}},
    {GATHER, .what = "opset 7", .opset = 7, .in = {FLOATS(4, 3), KNOWN_AT((2), 3, 1)}},
    {GATHER, .what = "large enough for threads", AXIS(1),
     .in = {FLOATS(3, 9, 3000), KNOWN_AT((4), 8, 0, 3, 3)}},
    {GATHER, .what = "a shape's numbers", .in = {TYPED(ENG_INT64, 4), KNOWN_AT((1), 2)}},
    {GATHER, .what = "bytes", AXIS(1), .in = {TYPED(ENG_UINT8, 2, 3), AT((2), 2, 2)}},
    {GATHER, .what = "int16", AXIS(1), .in = {TYPED(ENG_INT16, 2, 3), AT((2), 2, 2)}},
    {GATHER, .what = "bool", .in = {TYPED(ENG_BOOL, 4), AT((2), 3, 0)}},
    {GATHER, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 4), AT((2), 3, 0)}},
    {ELEMENTS, .what = "rows", .in = {FLOATS(3, 4), AT((2, 3), 2, 0, -1, 1, 1, -3)},
     .gradients = 1},
    {ELEMENTS, .what = "last axis", AXIS(-1),
     .in = {FLOATS(2, 2, 3), AT((2, 2, 2), 0, 2, 1, 1, -1, 0, 2, 2)}, .gradients = 1},
    {ELEMENTS, .what = "computed indices outside", .refused_if_known = true, AXIS(1),
     .in = {FLOATS(2, 3), AT((2, 2), 3, -4, 1, 2)}, .gradients = 1},
    {ELEMENTS, .what = "int32 indices", .in = {FLOATS(3), AT32((2), 2, 0)}, .gradients = 1},
    {ELEMENTS, .what = "int64", .in = {TYPED(ENG_INT64, 3), KNOWN_AT((4), 2, 0, 1, -1)}},
    {ELEMENTS, .what = "bytes", .in = {TYPED(ENG_UINT8, 3), AT((2), 2, 0)}},
    {ELEMENTS, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3), AT((2), 2, 0)}},
    {ND, .what = "elements", .in = {FLOATS(3, 4), AT((2, 2), 2, 3, 0, -1)}, .gradients = 1},
    {ND, .what = "blocks", .in = {FLOATS(3, 4, 2), AT((2, 1, 1), 2, -3)}, .gradients = 1},
    {ND, .what = "a batch dimension", .attrs = {ATTR_INT("batch_dims", 1)},
     .in = {FLOATS(2, 3, 2), AT((2, 2, 1), 0, 2, -1, 1)}, .gradients = 1},
    {ND, .what = "two batch dimensions", .attrs = {ATTR_INT("batch_dims", 2)},
     .in = {FLOATS(2, 2, 3, 2), AT((2, 2, 1), 0, 2, -1, 1)}, .gradients = 1},
    {ND, .what = "computed indices outside", .refused_if_known = true,
     .in = {FLOATS(3, 4), AT((2, 2), 2, 4, -4, 0)}, .gradients = 1},
    {ND, .what = "int32", .in = {TYPED(ENG_INT32, 3, 4), AT((1, 2), 2, 3)}},
    {ND, .what = "bool", .in = {TYPED(ENG_BOOL, 3, 4), AT((2, 1), 2, 0)}},
    {ND, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 4), AT((2, 1), 2, 0)}},
    {EXTRACT, .what = "columns", .in = {FLOATS(3, 4), AT((3), 2, 0, 2)}, .gradients = 1,
     .batched = 1},
    {EXTRACT, .what = "labels of a list", .in = {TYPED(ENG_INT64, 5), AT((3, 1), 4, 0, 4)}},
    {EXTRACT, .what = "a stack of doubles",
     .in = {TYPED(ENG_FLOAT64, 2, 3, 4), KNOWN_AT((2), 3, 1)}},
    {EXTRACT, .what = "computed indices outside", .refused_if_known = true,
     .in = {FLOATS(2, 3), AT((2), 3, 1)}, .gradients = 1},
    {.op = "ArrayFeatureExtractor",
     .domain = "ai.onnx.ml",
     .opset = 1,
     .what = "of a scalar",
     .n_in = 2,
     .in = {{.dtype = ENG_FLOAT32}, AT((1), 0)},
     .refusal = "rank 1 to 8 is wanted"},
    {.op = "ArrayFeatureExtractor",
     .domain = "ai.onnx.ml",
     .opset = 1,
     .what = "int32 indices",
     .n_in = 2,
     .in = {FLOATS(2, 3), AT32((1), 0)},
     .refusal = "int64 is wanted"},
    {.op = "Gather",
     .what = "a known index outside",
     .n_in = 2,
     .in = {FLOATS(4, 3), KNOWN_AT((2), 1, 4)},
     .refusal = "index 4 lies outside a dimension of length 4"},
    {.op = "Gather",
     .what = "a known negative index outside",
     .n_in = 2,
     .in = {FLOATS(4, 3), KNOWN_AT((1), -5)},
     .refusal = "index -5 lies outside"},
    {.op = "Gather",
     .what = "a scalar",
     .n_in = 2,
     .in = {{.dtype = ENG_FLOAT32}, AT((1), 0)},
     .refusal = "axis 0 lies outside a tensor of rank 0"},
    {.op = "Gather",
     .what = "float indices",
     .n_in = 2,
     .in = {FLOATS(4, 3), FLOATS(2)},
     .refusal = "float; int64 is wanted"},
    {.op = "Gather",
     .what = "nine dimensions",
     .n_in = 2,
     .in = {FLOATS(1, 1, 1, 1, 1), {.dtype = ENG_INT64, .shape = SHAPE(1, 1, 1, 1, 1)}},
     .refusal = "the output has 9 dimensions"},
    {.op = "GatherElements",
     .what = "ranks differ",
     .n_in = 2,
     .in = {FLOATS(4, 3), AT((2), 1, 0)},
     .refusal = "rank 2 is wanted"},
    {.op = "GatherElements",
     .what = "indices go beyond",
     .n_in = 2,
     .in = {FLOATS(4, 1), AT((1, 2), 1, 0)},
     .refusal = "indices of shape [1, 2] go beyond data of shape [4, 1] along axis 1"},
    {.op = "GatherElements",
     .what = "a known index outside",
     .n_in = 2,
     .in = {FLOATS(2), KNOWN_AT((1), 2)},
     .refusal = "index 2 lies outside a dimension of length 2"},
    {.op = "GatherND",
     .what = "tuples too long",
     .n_in = 2,
     .in = {FLOATS(4, 1), AT((1, 3), 1, 0, 0)},
     .refusal = "the indices' last dimension is 3; data of rank 2 wants 1 to 2"},
    {.op = "GatherND",
     .what = "batches differ",
     .n_in = 2,
     .attrs = {ATTR_INT("batch_dims", 1)},
     .in = {FLOATS(4, 2), AT((3, 1), 1, 0, 0)},
     .refusal = "batch dimension 0 is 3 in the indices and 4 in the data"},
    {.op = "GatherND",
     .what = "too many batch dimensions",
     .n_in = 2,
     .attrs = {ATTR_INT("batch_dims", 2)},
     .in = {FLOATS(4, 2, 2), AT((4, 1), 1, 0, 0, 0)},
     .refusal = "batch_dims 2 is not below the ranks 3 and 2"},
    {.op = "GatherND",
     .what = "batch_dims in opset 11",
     .opset = 11,
     .n_in = 2,
     .attrs = {ATTR_INT("batch_dims", 1)},
     .in = {FLOATS(1, 2), AT((1, 1), 1)},
     .refusal = "from opset 12 on"},
    {.op = "GatherND",
     .what = "a known index outside, second of the tuple",
     .n_in = 2,
     .in = {FLOATS(4, 2), KNOWN_AT((1, 2), 3, 2)},
     .refusal = "index 2 lies outside a dimension of length 2"},
};

int main(void)
{
    return OP_BATTERY("gather", cases);
}
