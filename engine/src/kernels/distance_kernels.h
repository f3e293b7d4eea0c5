/* What the distance_*.c files define; use distance.h. */
#ifndef ENG_KERNELS_DISTANCE_KERNELS_H
#define ENG_KERNELS_DISTANCE_KERNELS_H

#include "kernels/distance.h"
#include "kernels/vector.h"

bool eng_distance_has_avx512(void); /* and its instructions for bytes */
bool eng_distance_has_vnni(void);
bool eng_distance_has_avx2(void);

/* out[i, j] = query_terms[i] + reference_terms[j] + factor * what the registers summed up */
struct eng_distance_finish {
    uint32_t query_terms[ENG_DISTANCE_BLOCK], reference_terms[ENG_DISTANCE_BLOCK];
    uint32_t factor;
};

eng_distance_fn eng_distance_l1_avx512, eng_distance_l2_vnni;
eng_distance_fn eng_distance_l1_avx2, eng_distance_l2_avx2;
eng_distance_fn eng_distance_l1_portable, eng_distance_l2_portable;

#endif
