/*
 * The operator contract. One operator = one file (formula, shapes, source; attributes; infer;
 * forward; backward; descriptor) and one row in ops.def. Nothing else has to be touched to add one.
 *
 * Life of a node: attributes are read through the operator's table -> infer checks them and the
 * input shapes, sets output shapes, says how much scratch it wants (the only place that may fail;
 * called once per batch size) -> forward and backward run, many times, and cannot fail.
 */
#ifndef ENG_OPS_OP_H
#define ENG_OPS_OP_H

#include "base/fields.h"
#include "engine/pool.h"
#include "engine/status.h"
#include "engine/tensor.h"
#include "kernels/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ENG_OPSET_MIN = 7,
    ENG_OPSET_MAX = 21,
    ENG_OP_ANY_COUNT = 1 << 20, /* in_max, out_max of variadic operators */
};

enum eng_op_flags {
    /* Output 0 may use input 0's memory when that dies here (same type and size); element i of the
     * output depends on no input element but the same one of input 0 (others: broadcast reads). */
    ENG_OP_IN_PLACE = 1,
    /* Output 0 is input 0's memory under another shape; forward and backward do nothing then. */
    ENG_OP_VIEW = 2,
    /* The kernel applies call->activation to output 0 in its epilogue (inference only) if that is
     * float; eng_op_forward does it for other types. */
    ENG_OP_FUSES_ACTIVATION = 4,
    /* An elementwise function that kernels can apply: op->activation says which. */
    ENG_OP_IS_ACTIVATION = 8,
    /* In training too, if call->activation is ReLU: backward then takes grad_out[0] through it. */
    ENG_OP_TRAINS_RELU = 32,
    /* In inference output 0 equals input 0 and the node can be dropped (Identity, Dropout). */
    ENG_OP_NO_OP = 16,
    /* Rows of output 0 are probabilities already: no softmax is to be added (Softmax, KNearest). */
    ENG_OP_PROBABILITIES = 64,
    /* The outputs depend on the inputs' shapes and types alone; forward does not look at their
     * data, which may be NULL (Shape, Size). */
    ENG_OP_SHAPE_ONLY = 128,
    /* forward reads no byte beside its inputs' elements and wants no alignment but an element's: a
     * caller's own memory will do. */
    ENG_OP_READS_ANYWHERE = 256,
};

/* What infer is asked and what it answers. */
struct eng_op_infer {
    const void *attrs; /* the operator's attribute struct */
    int opset;         /* of the operator's domain, as the file imports it */
    bool training;     /* plan for training: keep what backward needs */
    bool frozen;       /* training leaves the node's state as it is, and so must commit */
    bool steady;       /* in training too, answer as in inference */
    size_t n_in;
    /* NULL: optional input left out. data is set if the values are known while planning: constants,
     * and what follows from constants and shapes alone (graph/known.h). */
    const struct eng_tensor *const *in;
    size_t n_out;
    struct eng_tensor *const *out; /* to fill: dtype and shape. NULL: output not wanted */
    void *state;          /* op->state_bytes, zeroed: geometry for the kernels; read-only later */
    size_t scratch_bytes; /* to set: memory for one call of forward or backward */
    size_t keep_bytes;    /* to set: memory kept from forward to backward and commit (training) */
};

/* One node, bound to memory. */
struct eng_op_call {
    const void *attrs;
    const void *state;
    int opset;
    bool training;
    size_t n_in;
    const struct eng_tensor *const *in; /* NULL: left out */
    size_t n_out;
    struct eng_tensor *const *out;    /* NULL: not wanted */
    void *scratch;                    /* scratch_bytes, aligned to 64; contents undefined */
    void *keep;                       /* keep_bytes; written by forward, read by backward */
    struct eng_pool *pool;            /* for eng_pool_for; NULL: run inline */
    struct eng_activation activation; /* fused into output 0; ENG_ACT_NONE if none */
    uint64_t seed;                    /* fresh for each training step, node and shard: Dropout */
    /* backward only: same shapes as out and in. NULL: no gradient comes, or none is wanted. */
    const struct eng_tensor *const *grad_out;
    struct eng_tensor *const *grad_in;
    /* backward only, bit k: grad_in[k] holds nothing yet; write all of it instead of adding. A
     * subset of op->writes_grad. Inputs go in order: a value that is two inputs has its first bit.
     */
    unsigned write_grad;
};

struct eng_op {
    const char *name;   /* ONNX op_type */
    const char *domain; /* "" is ai.onnx */
    int opset_min, opset_max;
    size_t in_min, in_max;
    size_t out_min, out_max;
    unsigned flags;
    const struct eng_field *attrs; /* table, or NULL */
    size_t n_attrs;
    size_t attrs_bytes;
    size_t state_bytes;
    enum eng_status (*infer)(struct eng_op_infer *q, struct eng_error *err);
    void (*forward)(const struct eng_op_call *call);
    /* Adds to every grad_in that is not NULL, or writes it: see write_grad. Only called if some
     * grad_out is there. NULL: inference only. */
    void (*backward)(const struct eng_op_call *call);
    /* Of which inputs backward can write the gradient; the others' are zeroed before they are added
     * to, one more pass over memory. */
    unsigned writes_grad;
    /* After a training step, once per node: folds what the shards' forwards observed
     * (calls[i].keep) into state inputs without gradient, written through in[k]->data (running
     * mean). NULL: none. */
    void (*commit)(const struct eng_op_call *calls, size_t n_calls);
    /* IS_ACTIVATION: the kernel's form of it; false if this node's attributes have none. inputs as
     * in infer (Clip's bounds are inputs since opset 11 and must be constant). */
    bool (*activation)(const struct eng_op_infer *q, struct eng_activation *out);
    /* Folding at load, both NULL where they do not apply. channel_affine: in inference output 0 is
     * scale[c] * input 0 + shift[c], c along axis 1, from constant inputs; writes n of each, false
     * if the node is not of that kind or n is not its number of channels (BatchNormalization).
     * absorb_affine: takes such a map of its own output into its weight, in place, and its bias
     * [n], which holds the old bias or zeros; false, with nothing changed, if it cannot (Conv,
     * Gemm). The weight is input 1, the bias input 2. */
    bool (*channel_affine)(const struct eng_op_infer *q, float *scale, float *shift, size_t n);
    bool (*absorb_affine)(const struct eng_op_infer *q, const float *scale, const float *shift,
                          size_t n, float *weight, float *bias);
    /* Multiply-adds x 2 of one forward at these shapes, for inspect and bench; NULL: output
     * elements. */
    double (*flops)(const struct eng_op_infer *q);
    /* Elements that one forward looks at, where these are more than flops and its largest tensor
     * say: pooling's taps of all windows. NULL: they are not. */
    double (*visits)(const struct eng_op_infer *q);
    /* How forward works at these shapes, a few words for bench: "direct 3x3 by 2", "product". Sees
     * what forward sees, but no data; cuts the words to size. NULL: there is but one way. */
    void (*describe)(const struct eng_op_call *call, char *text, size_t size);
    /* Along which axis of the outputs do slices stay apart that are apart along `axis` of input k:
     * as many, and slice i follows from slice i of that input, and of other inputs with the same
     * answer, alone? ENG_AXIS_MIXED: along none, or the operator does not tell. The axis has
     * several slices; inputs that are not asked about are the same for all of them. Asked after
     * infer, not of a VIEW. NULL: never tells. */
    int (*follow)(const struct eng_op_infer *q, size_t k, int axis);
    /* Which inputs say the shape of output 0, dimension by dimension: bit k is input k. Reshape: 2.
     */
    unsigned shape_inputs;
    /* Which inputs hold parameters that training adjusts: bit k is input k. Conv: 6 (W and B). */
    unsigned trainable_inputs;
    /* Which of these are weights, that penalties pull towards 0; the others are biases or belong to
     * a normalisation. Conv: 2. */
    unsigned weight_inputs;
};

enum { ENG_AXIS_MIXED = -1 };

/* --- follow of operators that have it in common (follow.c) --- */

/* Along axis 0, where the first dimension stays: convolution, pooling, products of rows with a
 * matrix. */
int eng_follow_rows(const struct eng_op_infer *q, size_t k, int axis);
/* Along every axis that keeps its length, counted from the last as broadcasting does: what computes
 * each element from those at its place. */
int eng_follow_aligned(const struct eng_op_infer *q, size_t k, int axis);
/* Along the axes that are left: aligned, or the first where dimensions are taken out. */
int eng_follow_left(const struct eng_op_infer *q, size_t k, int axis);

/* Purpose: the operator of that name, domain and opset ("" and "ai.onnx" are one domain).
 * Errors: UNSUPPORTED: unknown name or domain, or the opset lies outside the operator's range. */
enum eng_status eng_op_find(const char *domain, const char *name, int opset,
                            const struct eng_op **out, struct eng_error *err);

/* Purpose: refuses numbers of inputs that the operator did not have in that opset (earlier.def). */
enum eng_status eng_op_check_inputs(const struct eng_op *op, int opset, size_t n_in,
                                    struct eng_error *err);

/* Purpose: op->infer, unless input 0 is of a type that the operator did not take in that opset.
 * Errors: UNSUPPORTED naming the types; those of op->infer. */
enum eng_status eng_op_infer(const struct eng_op *op, struct eng_op_infer *q, struct eng_error *err);

/* Purpose: op->forward, and the fused activation if output 0 is of a type for which the kernel does
 * not apply it. */
void eng_op_forward(const struct eng_op *op, const struct eng_op_call *call);

/* Purpose: what limits on the work of one forward are measured in, once inferred: the largest of
 * flops, visits and the elements of a tensor that it looks at. */
double eng_op_work(const struct eng_op *op, const struct eng_op_infer *q);

/* Purpose: all rows of ops.def in order, for tests, docs and inspect. */
size_t eng_op_count(void);
const struct eng_op *eng_op_at(size_t i);

/* --- what infer functions need again and again (infer.c) --- */

/* Purpose: refuses a type other than wanted, naming the input. */
enum eng_status eng_infer_dtype(const struct eng_op_infer *q, size_t input, enum eng_dtype wanted,
                                struct eng_error *err);
/* Purpose: refuses a type other than float and double, naming the input. */
enum eng_status eng_infer_real(const struct eng_op_infer *q, size_t input, struct eng_error *err);
/* Purpose: refuses a type other than uint8 and int8, naming the input. */
enum eng_status eng_infer_byte(const struct eng_op_infer *q, size_t input, struct eng_error *err);
/* Purpose: refuses a rank outside [min, max], naming the input and its shape. */
enum eng_status eng_infer_rank(const struct eng_op_infer *q, size_t input, int min, int max,
                               struct eng_error *err);
/* Purpose: refuses any other shape, naming the input and both shapes. */
enum eng_status eng_infer_shape(const struct eng_op_infer *q, size_t input,
                                const struct eng_shape *wanted, struct eng_error *err);
/* Purpose: refuses another number of elements, naming the input and its shape. */
enum eng_status eng_infer_count(const struct eng_op_infer *q, size_t input, int64_t wanted,
                                struct eng_error *err);
/* Purpose: refuses an input whose values are not known while planning, or are of another type;
 * name: what ONNX calls it. */
enum eng_status eng_infer_constant(const struct eng_op_infer *q, size_t input, const char *name,
                                   enum eng_dtype wanted, struct eng_error *err);
/* Purpose: the numbers of an input that is a list, int64 or int32, known while planning; name: what
 * ONNX calls it. Errors: UNSUPPORTED if they are not known; FORMAT naming its shape if it is no
 * list or holds more than ENG_MAX_INTS. */
enum eng_status eng_infer_ints(const struct eng_op_infer *q, size_t input, const char *name,
                               struct eng_ints *out, struct eng_error *err);
/* Purpose: refuses an attribute or input, if it is given, in files of an opset before `since`. */
enum eng_status eng_infer_since(const struct eng_op_infer *q, int since, bool is_given,
                                const char *name, struct eng_error *err);
/* Purpose: sets an output if it is wanted. The caller of infer checks that its size fits memory. */
void eng_infer_output(struct eng_op_infer *q, size_t output, enum eng_dtype dtype,
                      const struct eng_shape *shape);
/* Purpose: refuses an output so large that computing with its size could overflow. */
enum eng_status eng_infer_fits(const struct eng_shape *y, struct eng_error *err);
/* Purpose: output 0 has input 0's type and shape. */
void eng_infer_same(struct eng_op_infer *q);
/* Purpose: numpy broadcasting of two shapes. Errors: FORMAT naming both. */
enum eng_status eng_infer_broadcast(const struct eng_shape *a, const struct eng_shape *b,
                                    struct eng_shape *out, struct eng_error *err);
/* Purpose: the product of the dimensions first .. last - 1. */
size_t eng_infer_product(const struct eng_shape *shape, int first, int last);
/* Purpose: axis -rank..rank-1 to 0..rank-1. Errors: FORMAT naming axis and rank. */
enum eng_status eng_infer_axis(int64_t axis, int rank, int *out, struct eng_error *err);
/* Purpose: bit d of *marked: axis d of x is in the list. Errors: as eng_infer_axis; or for an axis
 * that is named twice. */
enum eng_status eng_infer_axes(const struct eng_shape *x, const int64_t *list, size_t n,
                               unsigned *marked, struct eng_error *err);
/* Purpose: element i of an int64 or int32 tensor. */
static inline int64_t eng_int_at(const struct eng_tensor *t, size_t i)
{
    return t->dtype == ENG_INT64 ? ((const int64_t *)t->data)[i] : ((const int32_t *)t->data)[i];
}

#endif
