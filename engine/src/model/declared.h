/* What a file declares of its values, against what its operators give. */
#ifndef ENG_MODEL_DECLARED_H
#define ENG_MODEL_DECLARED_H

#include "graph/graph.h"
#include "onnx/onnx.h"

/*
 * Purpose: checks the declared type and shape of outputs, of initializers that are inputs too, and
 *          of values in between (value_info). A dimension that is open on either side fits, and so
 *          does every size where the picture's size comes from elsewhere, and every shape that
 *          follows from computed numbers: ONNX's checker does not see those either. float16 is
 *          float here. A graph whose shapes cannot be inferred passes: planning says why.
 * Shapes: graph as imported, its inputs settled. Errors: FORMAT naming the value and both;
 * NO_MEMORY.
 */
enum eng_status eng_declared_check(const struct onnx_model *onnx, const struct eng_graph *graph,
                                   struct eng_error *err);

#endif
