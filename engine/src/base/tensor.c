#include "engine/tensor.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name; /* as onnx.TensorProto.DataType, in lower case */
    size_t n_bytes;
} dtypes[] = {
    [ENG_DTYPE_NONE] = {"undefined", 0},
    [ENG_FLOAT32] = {"float", 4},
    [ENG_UINT8] = {"uint8", 1},
    [ENG_INT8] = {"int8", 1},
    [ENG_UINT16] = {"uint16", 2},
    [ENG_INT16] = {"int16", 2},
    [ENG_INT32] = {"int32", 4},
    [ENG_INT64] = {"int64", 8},
    [ENG_BOOL] = {"bool", 1},
    [ENG_FLOAT16] = {"float16", 2},
    [ENG_FLOAT64] = {"double", 8},
    [ENG_UINT32] = {"uint32", 4},
    [ENG_UINT64] = {"uint64", 8},
};

enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };

static const int64_t MAX_ELEMENTS = (int64_t)1 << 40; /* more than any memory holds */

size_t eng_dtype_bytes(enum eng_dtype dtype)
{
    return (unsigned)dtype < N_DTYPES ? dtypes[dtype].n_bytes : 0;
}

const char *eng_dtype_name(enum eng_dtype dtype)
{
    const char *name = (unsigned)dtype < N_DTYPES ? dtypes[dtype].name : NULL;
    return name ? name : "unknown";
}

/* A dimension of 0 hides no others: whoever multiplies some of them must not overflow either. */
int64_t eng_shape_count(const struct eng_shape *shape)
{
    int64_t count = 1;
    bool empty = false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0) return -1;
        if (shape->dim[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(count, shape->dim[i], &count) || count > MAX_ELEMENTS)
            return -1;
    }
    return empty ? 0 : count;
}

bool eng_shape_equal(const struct eng_shape *a, const struct eng_shape *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) return false;
    }
    return true;
}

char *eng_shape_format(const struct eng_shape *shape, char *buf, size_t n)
{
    /* The longest text: 20 characters and ", " a dimension, brackets, NUL. */
    char text[ENG_MAX_RANK * 22 + 3] = "[";
    size_t at = 1;
    for (int i = 0; i < shape->rank && i < ENG_MAX_RANK; i++) {
        const char *comma = i ? ", " : "";
        int w = shape->dim[i] == -1
                    ? snprintf(text + at, sizeof text - at, "%sN", comma)
                    : snprintf(text + at, sizeof text - at, "%s%" PRId64, comma, shape->dim[i]);
        at += (size_t)w;
    }
    snprintf(buf, n, "%s]", text);
    return buf;
}

int64_t eng_tensor_bytes(const struct eng_tensor *tensor)
{
    int64_t count = eng_shape_count(&tensor->shape), n_bytes;
    size_t element = eng_dtype_bytes(tensor->dtype);
    if (count < 0 || !element || __builtin_mul_overflow(count, (int64_t)element, &n_bytes))
        return -1;
    return n_bytes;
}
