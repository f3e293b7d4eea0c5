#include "serve/policy.h"

#include <assert.h>

size_t srv_policy_take(size_t n_waiting, size_t n_workers, size_t n_busy, size_t max_batch)
{
    assert(max_batch > 0);
    size_t n_free = n_workers > n_busy ? n_workers - n_busy : 1; /* the asker is one of them */
    size_t share = n_waiting / n_free + (n_waiting % n_free != 0);
    return share < max_batch ? share : max_batch;
}
