/* Tensors as ONNX knows them: an element type, a shape, row-major data. */
#ifndef ENGINE_TENSOR_H
#define ENGINE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENG_MAX_RANK = 8 };

/* Element types; the numbers are onnx.TensorProto.DataType. */
enum eng_dtype {
    ENG_DTYPE_NONE = 0,
    ENG_FLOAT32 = 1,
    ENG_UINT8 = 2,
    ENG_INT8 = 3,
    ENG_UINT16 = 4,
    ENG_INT16 = 5,
    ENG_INT32 = 6,
    ENG_INT64 = 7,
    ENG_BOOL = 9,
    ENG_FLOAT16 = 10,
    ENG_FLOAT64 = 11,
    ENG_UINT32 = 12,
    ENG_UINT64 = 13,
};

/* A dimension of -1 is not known yet; kernels never see one. Rank 0 is a scalar. */
struct eng_shape {
    int rank;
    int64_t dim[ENG_MAX_RANK];
};

/* A typed view; whoever made it says who owns data. */
struct eng_tensor {
    enum eng_dtype dtype;
    struct eng_shape shape;
    void *data;
};

/* Purpose: bytes of one element; 0 for a type that the engine does not hold. Any thread. */
size_t eng_dtype_bytes(enum eng_dtype dtype);

/* Purpose: ONNX's lower-case name ("float", "int64"); static string, never NULL. Any thread. */
const char *eng_dtype_name(enum eng_dtype dtype);

/*
 * Purpose: the number of elements, 1 for a scalar.
 * Errors: returns -1 when a dimension is negative, or when the product of those that are not 0
 *         exceeds 2^40: more than any memory holds, and little enough to compute with.
 */
int64_t eng_shape_count(const struct eng_shape *shape);

bool eng_shape_equal(const struct eng_shape *a, const struct eng_shape *b);

/* Purpose: writes "[2, 3, 28, 28]" (-1 as "N"), cut to n bytes with the NUL. Returns buf. */
char *eng_shape_format(const struct eng_shape *shape, char *buf, size_t n);

/* Purpose: elements times element size. Errors: -1 on overflow or an unknown type. */
int64_t eng_tensor_bytes(const struct eng_tensor *tensor);

#endif
