/* Layers: an ONNX operator, and the parameters that training it needs. */
#ifndef ENG_TRAIN_LAYER_H
#define ENG_TRAIN_LAYER_H

#include "graph/graph.h"
#include "train/recipe.h"
#include "train/whitening.h"

enum { ENG_LAYER_OPSET = 17, ENG_LAYER_MAX_INPUTS = 8 };

/* What a layer needs to know to make its parameters. */
struct eng_layer_site {
    struct eng_graph *graph;
    const char *name;       /* of the node; parameters are called name.weight ... */
    struct eng_shape input; /* what comes in, with batch 1 */
    uint64_t seed;
    const struct eng_patch_source
        *patches; /* of the input's pictures; NULL: the layer gets others */
};

/* One row of layer.def. */
struct eng_layer_kind {
    const char *op;                 /* ONNX op_type, and the layer's "op" in recipes */
    const struct eng_field *fields; /* of struct eng_layer_options */
    size_t n_fields;
    /* NULL: the kind has branches instead.
     * Adds constants to the graph and appends them to in[*n_in], behind the data at in[0]. */
    enum eng_status (*inputs)(const struct eng_layer *layer, const struct eng_layer_site *site,
                              int in[ENG_LAYER_MAX_INPUTS], size_t *n_in, struct eng_error *err);
};

/* Keys of every layer that has an operator of its own, beside "op" and "name". */
extern const struct eng_field eng_layer_common_fields[];
extern const size_t eng_n_layer_common_fields;

/* Purpose: the kind of that name, or NULL. */
const struct eng_layer_kind *eng_layer_kind_find(const char *op);

/* Purpose: the name that was meant, or else the first one, as an example. */
const char *eng_layer_kind_nearest(const char *op);

#endif
