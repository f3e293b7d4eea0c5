/*
 * Turns operators on floats that stand between integers into operators on the integers. Inference
 * only.
 *
 * Before: DequantizeLinear -> operator -> QuantizeLinear, where scales and zero points are
 * constants and hold for whole tensors (those of weights: or for each output channel), or
 * QLinearConv and QLinearMatMul. After: one operator from bytes to bytes (ops/quantised.h),
 * pictures with channels last, weights packed once. Operators are Conv, Gemm and MatMul with
 * constant weights (and a ReLU or Clip fused into them), Add of two tensors, MaxPool, AveragePool,
 * GlobalAveragePool, Concat, activations, and what only moves elements.
 *
 * Sums of products become exact, so that a byte may differ by one step from what the operators on
 * floats give, where these round to the other side of a half. All other operators give the same
 * bytes. What does not fit the pattern stays as it is.
 */
#ifndef ENG_GRAPH_QUANTISED_H
#define ENG_GRAPH_QUANTISED_H

#include "graph/rewrite.h"

/* Purpose: rewrites the graph if it quantises anything. Errors: NO_MEMORY, LIMIT. */
enum eng_status eng_quantised(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
