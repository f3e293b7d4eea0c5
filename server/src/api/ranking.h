/* Classes in the order of their probabilities: what every dialect's top k is. */
#ifndef SRV_API_RANKING_H
#define SRV_API_RANKING_H

#include "api/request.h"

struct srv_ranked {
    float probability;
    size_t index;
};

/*
 * Purpose: the n_top (1 to n_classes) most probable classes of one picture in this order, of equal
 * ones the lower index first. Shapes: probabilities and out have n_classes elements; those of out
 * behind the first n_top are unspecified. Cost: n log n; n for a few.
 */
void srv_rank(const float *probabilities, size_t n_classes, size_t n_top, struct srv_ranked *out);

/*
 * Purpose: ?top=k, 1 to n_classes; without it n_default, or all classes if that is 0 or more than
 * there are. False: the reply is an error.
 */
bool srv_request_read_top(struct srv_request *request, size_t n_classes, size_t n_default,
                          size_t *n_top);

#endif
