/* The attributes that convolution and pooling share, made into a window. */
#ifndef ENG_OPS_WINDOW_H
#define ENG_OPS_WINDOW_H

#include "base/fields.h"
#include "engine/tensor.h"
#include "kernels/window.h"

#include <stdbool.h>

enum eng_auto_pad { ENG_PAD_NOTSET, ENG_PAD_SAME_UPPER, ENG_PAD_SAME_LOWER, ENG_PAD_VALID };

/* For ENG_F_CHOICE. */
extern const char *const eng_auto_pad_names[];

enum { ENG_WINDOW_MAX = 1 << 20 }; /* the largest kernel, stride, dilation or padding */

/* As the file gives them; an empty list means all ones (pads: all zeros). */
struct eng_window_attrs {
    int auto_pad;
    struct eng_ints kernel_shape, strides, dilations, pads;
    bool ceil_mode; /* a last window that starts inside may hang over the end */
};

/*
 * Purpose: checks the attributes against an input [N, C, D1 .. Dn], n from 1 to 3, and works out
 *          padding and output size.
 * Errors: FORMAT naming the attribute or axis; UNSUPPORTED for n above 3; LIMIT above INT_MAX
 * pixels.
 */
enum eng_status eng_window_resolve(const struct eng_window_attrs *attrs,
                                   const struct eng_shape *input, struct eng_window *out,
                                   struct eng_error *err);

/* Purpose: refuses a list that is given and has another number of numbers, naming it. */
enum eng_status eng_window_check_count(const char *name, const struct eng_ints *list, int wanted,
                                       struct eng_error *err);

/* Purpose: refuses padding that is given although auto_pad finds it. */
enum eng_status eng_window_check_pads(int auto_pad, const struct eng_ints *pads,
                                      struct eng_error *err);

/* Purpose: number i of the list, or fallback if it is not given. */
int64_t eng_window_value(const struct eng_ints *list, int i, int64_t fallback);

/* Purpose: writes "3x3 by 2, dilated 2" and the like: the kernel, and steps and distances above 1;
 * cut to size. */
void eng_window_describe(const struct eng_window *window, char *text, size_t size);

/* Purpose: [n, c, out...] with as many axes as the input has. */
struct eng_shape eng_window_output(const struct eng_window *window, const struct eng_shape *input,
                                   int64_t channels);

#endif
