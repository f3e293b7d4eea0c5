#include "graph/inference.h"

#include "graph/attention.h"
#include "graph/channels_last.h"
#include "graph/fold_pads.h"
#include "graph/gelu.h"
#include "graph/layer_norm.h"
#include "graph/packed_products.h"
#include "graph/settle_shapes.h"
#include "graph/shuffle.h"
#include "graph/swish.h"
#include "graph/quantised.h"

typedef enum eng_status rewrite_fn(struct eng_rewrite *rewrite, struct eng_error *err);

/* Those that look for operators of the file stand before those that put others in their place. */
static rewrite_fn *const rewrites[] = {
    eng_settle_shapes,
    eng_find_gelu,
    eng_find_layer_norm,
    eng_swish,
    eng_shuffle,
    eng_find_attention,
    eng_fold_pads,
    eng_quantised,
    eng_channels_last,
    eng_packed_products,
};

enum eng_status eng_inference_rewrite(struct eng_rewrite *rewrite, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < sizeof rewrites / sizeof rewrites[0]; i++)
        status = rewrites[i](rewrite, err);
    return status;
}
