/* The notation of Einsum: "bhid,bhjd->bhij", with "..." for dimensions that broadcast. */
#ifndef ENG_OPS_EINSUM_EQUATION_H
#define ENG_OPS_EINSUM_EQUATION_H

#include "engine/status.h"
#include "engine/tensor.h"

#include <stdint.h>

/* A label is a letter or one of the dimensions that an ellipsis stands for. */
enum { ENG_EINSUM_TERMS = 8, ENG_EINSUM_LABELS = 2 * 26 + ENG_MAX_RANK };

/* The labels of one operand's dimensions, or of the result's. */
struct eng_einsum_term {
    int n;
    uint8_t label[ENG_MAX_RANK];
};

struct eng_einsum {
    int n_terms;
    struct eng_einsum_term in[ENG_EINSUM_TERMS], out;
    int64_t size[ENG_EINSUM_LABELS]; /* along each label; 0 also if it does not occur */
};

/*
 * Purpose: reads the equation for operands of these shapes. Without "->" the result has the
 *          ellipsis' dimensions and then the letters that occur once, in alphabetical order (A to Z
 *          before a to z). A dimension of 1 is repeated where another operand has more.
 * Errors: FORMAT: the sentence names the equation and what is wrong; UNSUPPORTED: more than 8
 * operands, or a result of more than 8 dimensions.
 */
enum eng_status eng_einsum_read(const char *equation, const struct eng_shape *shapes,
                                size_t n_shapes, struct eng_einsum *out, struct eng_error *err);

#endif
