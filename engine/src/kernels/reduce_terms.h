/* Taking terms into a reduction's running values, for each element type; use reduce.h. */
#ifndef ENG_KERNELS_REDUCE_TERMS_H
#define ENG_KERNELS_REDUCE_TERMS_H

#include "kernels/reduce.h"

#include <stdint.h>

/* A running value: floats', signed integers' or unsigned integers'. */
union eng_running {
    double real;
    int64_t whole;
    uint64_t natural;
};

/* One type's loops over n elements. apart: element i belongs to running value i; else all belong to
 * the first. */
struct eng_reduce_terms {
    void (*start)(enum eng_reduction what, union eng_running *values, size_t n);
    void (*take)(enum eng_reduction what, const void *x, size_t n, bool apart,
                 union eng_running *values);
    /* y[i] = what value i has become after n_terms. */
    void (*finish)(enum eng_reduction what, const union eng_running *values, size_t n_terms,
                   void *y, size_t n);
    /* For LOG_SUM_EXP: the largest terms as doubles; sums[i] += exp(x - origin[i]); y = sums. */
    void (*origins)(const union eng_running *largest, double *origin, size_t n);
    void (*take_exp)(const void *x, size_t n, bool apart, const double *origin, double *sums);
    void (*finish_real)(const double *values, void *y, size_t n);
};

/* Purpose: the type's loops; NULL for a type without. */
const struct eng_reduce_terms *eng_reduce_terms(enum eng_dtype dtype);

#endif
