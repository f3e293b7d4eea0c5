/* The third order of linear.h's weights: products of bfloat16. Use linear.h. */
#ifndef ENG_KERNELS_LINEAR_BF16_H
#define ENG_KERNELS_LINEAR_BF16_H

#include "kernels/linear.h"

bool eng_linear_bf16_packed_floats(const struct eng_linear *linear, size_t *out);
bool eng_linear_bf16_scratch_bytes(const struct eng_linear *linear, size_t *out);
void eng_linear_bf16_pack(const struct eng_linear *linear, const struct eng_linear_weights *weights,
                          float *packed);
void eng_linear_bf16_forward(const struct eng_linear *linear, const struct eng_linear_call *call);

#endif
