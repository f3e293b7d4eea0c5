/* What Gemm's node says, for passes too. */
#ifndef ENG_OPS_GEMM_H
#define ENG_OPS_GEMM_H

#include <stdbool.h>

struct eng_gemm_attrs {
    double alpha, beta;
    bool transA, transB;
};

#endif
