/* The parts of the rewrite of quantised.h: the walk, and what it asks for each kind of node. */
#ifndef ENG_GRAPH_QUANTISED_WALK_H
#define ENG_GRAPH_QUANTISED_WALK_H

#include "graph/pattern.h"
#include "graph/turn.h"
#include "ops/quantised.h"

/* A node DequantizeLinear is appended when an operator on floats wants its output, if ever. */
struct eng_byte_walk {
    struct eng_turn turn;
    int *dequantiser; /* [n_old] the node that makes this value of bytes, or -1 */
    int *quantiser;   /* [n_old] the first node that makes bytes of this value, or -1 */
    bool *wants_last; /* [n_old] who reads it works with channels last */
    bool *done;       /* [n_nodes] appended as part of another */
};

/* A tensor of bytes: a value and what its bytes stand for. */
struct eng_byte_value {
    int value;
    struct eng_quantised q;
};

/* Purpose: whether value v of floats is made of bytes with one scale, and of which. */
bool eng_bytes_source(const struct eng_byte_walk *w, int v, struct eng_byte_value *out);

/* Purpose: whether bytes with one scale are made of value v, and which; node: that QuantizeLinear.
 */
bool eng_bytes_sink(const struct eng_byte_walk *w, int v, struct eng_byte_value *out, int *node);

/* Purpose: the same if nothing else reads v. */
bool eng_bytes_only_sink(const struct eng_byte_walk *w, int v, struct eng_byte_value *out,
                         int *node);

/* Purpose: scale and zero point that constants give, for elements of that type: one of each, zero
 * may be ENG_NO_VALUE. False if they are of another kind, or the scale is no normal number above 0.
 */
bool eng_bytes_parameters(const struct eng_graph *graph, int scale, int zero, enum eng_dtype dtype,
                          struct eng_quantised *out);

/* Purpose: whether v is a picture, of which but the batch is known. */
bool eng_bytes_is_picture(const struct eng_byte_walk *w, int v);

/* Errors of all: NO_MEMORY, LIMIT. */

/* Purpose: the form in which operators on bytes take v: pictures with channels last. */
enum eng_status eng_bytes_form(struct eng_byte_walk *w, int v, int *out, struct eng_error *err);

/* Purpose: appends `op`, named after `like`, that makes the same form of `out`. attrs: copied. */
enum eng_status eng_bytes_push(struct eng_byte_walk *w, const struct eng_node *like,
                               const struct eng_op *op, const void *attrs, const int *in,
                               size_t n_in, int out, struct eng_error *err);

/*
 * Each of these appends what takes the place of node i and sets *done, or leaves it to be kept.
 */
typedef enum eng_status eng_bytes_convert_fn(struct eng_byte_walk *w, size_t i, bool *done,
                                             struct eng_error *err);

/* Conv, Gemm, MatMul; QLinearConv, QLinearMatMul. */
eng_bytes_convert_fn eng_bytes_convolution, eng_bytes_product;
eng_bytes_convert_fn eng_bytes_qlinear_conv, eng_bytes_qlinear_matmul;
eng_bytes_convert_fn eng_bytes_add, eng_bytes_pooling, eng_bytes_concat, eng_bytes_move;
/* Activations, and QuantizeLinear itself. */
eng_bytes_convert_fn eng_bytes_activation, eng_bytes_quantise;
/* Shape, which needs no bytes. */
eng_bytes_convert_fn eng_bytes_shape;

#endif
