/* Rows of a product are pixels of a picture with a channel for each number: a convolution by 1x1.
 */
#include "kernels/linear_bf16.h"

#include "kernels/bf16.h"
#include "kernels/nhwc.h"

static struct eng_nhwc_conv as_convolution(const struct eng_linear *l)
{
    int64_t rows = (int64_t)l->n_rows;
    return (struct eng_nhwc_conv){.window = {.in = {1, rows, 1},
                                             .out = {1, rows, 1},
                                             .kernel = {1, 1, 1},
                                             .stride = {1, 1, 1},
                                             .dilation = {1, 1, 1}},
                                  .n_images = 1,
                                  .groups = 1,
                                  .in_channels = l->depth,
                                  .out_channels = l->n_columns,
                                  .method = ENG_NHWC_BF16};
}

bool eng_linear_bf16_can(size_t depth, size_t n_columns)
{
    return eng_bf16_kernels() && depth % 2 == 0 && depth >= ENG_CHANNEL_BLOCK &&
           n_columns >= ENG_CHANNEL_BLOCK;
}

bool eng_linear_bf16_packed_floats(const struct eng_linear *l, size_t *out)
{
    struct eng_nhwc_conv conv = as_convolution(l);
    conv.window.in[1] = conv.window.out[1] = 1;
    return eng_nhwc_bf16.packed_floats(&conv, out);
}

bool eng_linear_bf16_scratch_bytes(const struct eng_linear *l, size_t *out)
{
    const struct eng_nhwc_conv conv = as_convolution(l);
    *out = 0;
    return l->n_rows == 0 || eng_nhwc_bf16.scratch_bytes(&conv, out);
}

void eng_linear_bf16_pack(const struct eng_linear *l, const struct eng_linear_weights *w,
                          float *packed)
{
    const struct eng_bf16_weights weights = {.data = w->data,
                                             .column_step = w->column_step,
                                             .depth_step = w->depth_step,
                                             .scale = w->scale};
    eng_bf16_pack(1, l->depth, l->n_columns, &weights, (uint16_t *)packed);
}

void eng_linear_bf16_forward(const struct eng_linear *l, const struct eng_linear_call *call)
{
    const struct eng_nhwc_conv conv = as_convolution(l);
    const struct eng_nhwc_conv_call c = {.x = call->x,
                                         .packed = call->packed,
                                         .bias = call->bias,
                                         .added = call->added,
                                         .activation = call->activation,
                                         .y = call->y,
                                         .scratch = call->scratch,
                                         .pool = call->pool};
    eng_nhwc_bf16.forward(&conv, &c);
}
