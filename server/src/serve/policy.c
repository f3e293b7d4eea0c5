#include "serve/policy.h"

#include <assert.h>

size_t srv_policy_take(size_t n_waiting, size_t n_workers, size_t n_busy, size_t max_batch)
{
    assert(max_batch > 0);
    size_t n_free = n_workers > n_busy ? n_workers - n_busy : 1; /* the asker is one of them */
    size_t share = n_waiting / n_free + (n_waiting % n_free != 0);
    return share < max_batch ? share : max_batch;
}

int64_t srv_policy_due_us(int64_t submitted_us, int64_t deadline_us, int64_t max_delay_us)
{
    int64_t delay_us = max_delay_us;
    if (deadline_us > 0 && (deadline_us - submitted_us) / 2 < delay_us)
        delay_us = (deadline_us - submitted_us) / 2;
    return delay_us > 0 ? submitted_us + delay_us : submitted_us;
}
