/*
 * Operators under test: one case is an operator, attributes and inputs, with a naive reference in
 * double precision, or with the sentence that must refuse it. op_battery.h has the checks.
 */
#ifndef TEST_SUPPORT_OP_CASE_H
#define TEST_SUPPORT_OP_CASE_H

#include "base/mem.h"
#include "base/rng.h"
#include "ops/attrs.h"
#include "ops/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { OP_MAX_IN = 10, OP_MAX_OUT = OP_MAX_IN, OP_MAX_ATTRS = 12, OP_OPSET = 17 };

/* A tensor in double precision, whatever its type. */
struct op_values {
    struct eng_shape shape;
    size_t n;
    double *v;
};

struct op_input {
    enum eng_dtype dtype; /* 0: the input is left out */
    struct eng_shape shape;
    const double *values; /* NULL: random between low and high; whole numbers for integers */
    bool constant;        /* known at plan time: infer sees the data */
    double low, high;     /* both 0: the case's */
};

struct op_case {
    const char *op;     /* ONNX name */
    const char *what;   /* for messages */
    const char *domain; /* NULL: ai.onnx */
    int opset;          /* 0: OP_OPSET */
    struct eng_attr attrs[OP_MAX_ATTRS];
    struct op_input in[OP_MAX_IN];
    size_t n_in;
    size_t n_out; /* 0: 1 */
    double low,
        high; /* both 0: -1 to 1 for floats, -9 to 9 or 0 to 9 for integers, false or true */
    double tolerance; /* of floats, relative above 1 and absolute below; 0: 2e-5, doubles 1e-12 */
    /* Fills the outputs (op_values_init), from the attributes as they stand in the case. */
    void (*reference)(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out);
    unsigned gradients;        /* bit k: check input k's */
    unsigned gradient_outputs; /* bit k: a gradient comes from output k; 0: from output 0 */
    unsigned left_out;         /* bit k: output k is not wanted */
    unsigned batched;          /* bit k: input k's first dimension is the batch, and output 0's */
    bool is_random;            /* in training: no reference then */
    bool frozen;               /* in training */
    bool refused_if_known;     /* what is wrong with the inputs' values shows only while running */
    const char *refusal;       /* part of the sentence; no reference needed */
};

#define SHAPE(...)                                                                                \
    {                                                                                             \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dim = { __VA_ARGS__ } \
    }
#define SCALAR    \
    {             \
        .rank = 0 \
    }
#define FLOATS(...)                                       \
    {                                                     \
        .dtype = ENG_FLOAT32, .shape = SHAPE(__VA_ARGS__) \
    }
#define TYPED(TYPE, ...)                           \
    {                                              \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__) \
    }
/* A vector of int64 known at plan time: axes, sizes, starts. */
#define KNOWN(...)                                                                              \
    {                                                                                           \
        .dtype = ENG_INT64, .shape = {.rank = 1, .dim = {sizeof((double[]){__VA_ARGS__}) / 8}}, \
        .values = (const double[]){__VA_ARGS__}, .constant = true                               \
    }
#define LEFT_OUT                \
    {                           \
        .dtype = ENG_DTYPE_NONE \
    }
#define ATTR_INT(NAME, VALUE)                          \
    {                                                  \
        .name = NAME, .type = ENG_ATTR_INT, .i = VALUE \
    }
#define ATTR_FLOAT(NAME, VALUE)                          \
    {                                                    \
        .name = NAME, .type = ENG_ATTR_FLOAT, .f = VALUE \
    }
#define ATTR_STRING(NAME, VALUE)                          \
    {                                                     \
        .name = NAME, .type = ENG_ATTR_STRING, .s = VALUE \
    }
#define ATTR_INTS(NAME, ...)                                                         \
    {                                                                                \
        .name = NAME, .type = ENG_ATTR_INTS, .ints = (const int64_t[]){__VA_ARGS__}, \
        .n = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)                      \
    }

/* ---- for references: attributes by name, elements by index ---- */

static inline const struct eng_attr *op_attr(const struct op_case *c, const char *name)
{
    for (size_t i = 0; i < OP_MAX_ATTRS && c->attrs[i].name; i++)
        if (strcmp(c->attrs[i].name, name) == 0) return &c->attrs[i];
    return NULL;
}

static inline int64_t op_attr_int(const struct op_case *c, const char *name, int64_t absent)
{
    const struct eng_attr *attr = op_attr(c, name);
    return attr ? attr->i : absent;
}

static inline double op_attr_float(const struct op_case *c, const char *name, double absent)
{
    const struct eng_attr *attr = op_attr(c, name);
    return attr ? (double)attr->f : absent;
}

static inline int64_t op_attr_ints(const struct op_case *c, const char *name, size_t i,
                                   int64_t absent)
{
    const struct eng_attr *attr = op_attr(c, name);
    return attr && i < attr->n ? attr->ints[i] : absent;
}

static inline int op_opset(const struct op_case *c)
{
    return c->opset ? c->opset : OP_OPSET;
}

static inline void op_values_init(struct op_values *values, struct eng_shape shape)
{
    int64_t n = eng_shape_count(&shape);
    assert_true(n >= 0);
    values->shape = shape;
    values->n = (size_t)n;
    values->v = calloc((size_t)n + 1, sizeof *values->v);
    assert_non_null(values->v);
}

/* The index along dimension d of element i. */
static inline int64_t op_index(const struct eng_shape *shape, size_t i, int d)
{
    for (int k = shape->rank - 1; k > d; k--)
        i /= (size_t)shape->dim[k];
    return (int64_t)(i % (size_t)shape->dim[d]);
}

/* Element i of `shape` seen in a tensor that broadcasts to it. */
static inline double op_broadcast(const struct op_values *from, const struct eng_shape *shape,
                                  size_t i)
{
    size_t at = 0;
    for (int d = 0; d < from->shape.rank; d++) {
        int64_t dim = from->shape.dim[d];
        int64_t index = op_index(shape, i, shape->rank - from->shape.rank + d);
        at = at * (size_t)dim + (size_t)(dim == 1 ? 0 : index);
    }
    return from->v[at];
}

/* ---- tensors of any type, to and from double ---- */

#define OP_EACH_DTYPE(ROW)    \
    ROW(ENG_FLOAT32, float)   \
    ROW(ENG_FLOAT64, double)  \
    ROW(ENG_UINT8, uint8_t)   \
    ROW(ENG_INT8, int8_t)     \
    ROW(ENG_UINT16, uint16_t) \
    ROW(ENG_INT16, int16_t)   \
    ROW(ENG_UINT32, uint32_t) \
    ROW(ENG_INT32, int32_t)   \
    ROW(ENG_UINT64, uint64_t) \
    ROW(ENG_INT64, int64_t)   \
    ROW(ENG_BOOL, uint8_t)

static inline double op_read(const struct eng_tensor *t, size_t i)
{
#define ROW(DTYPE, TYPE) \
    if (t->dtype == DTYPE) return (double)((const TYPE *)t->data)[i];
    OP_EACH_DTYPE(ROW)
#undef ROW
    fail_msg("the battery does not read %s", eng_dtype_name(t->dtype));
    return 0;
}

static inline void op_write(const struct eng_tensor *t, size_t i, double value)
{
#define ROW(DTYPE, TYPE)                    \
    if (t->dtype == DTYPE) {                \
        ((TYPE *)t->data)[i] = (TYPE)value; \
        return;                             \
    }
    OP_EACH_DTYPE(ROW)
#undef ROW
    fail_msg("the battery does not write %s", eng_dtype_name(t->dtype));
}

static inline bool op_is_float(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
}

static inline bool op_is_unsigned(enum eng_dtype dtype)
{
    return dtype == ENG_UINT8 || dtype == ENG_UINT16 || dtype == ENG_UINT32 || dtype == ENG_UINT64;
}

#endif
