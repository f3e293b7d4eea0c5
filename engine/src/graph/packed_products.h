/*
 * Gives products with constant weights these weights packed, and the elementwise nodes behind them
 * to do as well. Inference only.
 *
 *     before   Gemm or MatMul of x and a constant [depth, columns], then, as far as nothing else
 *              reads what lies between: Add, Sub, Mul, Div with a constant row; an Add of something
 *              of the same shape; an activation that a node among them applies
 *     after    eng_op_linear of x, packed weights (scaled), bias, and what is added
 *
 * Whatever the product's other dimensions are, x is one tall matrix.
 */
#ifndef ENG_GRAPH_PACKED_PRODUCTS_H
#define ENG_GRAPH_PACKED_PRODUCTS_H

#include "graph/rewrite.h"

/* Purpose: rewrites as many products as eng_rewrite_affords packing. Errors: NO_MEMORY, LIMIT. */
enum eng_status eng_packed_products(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
