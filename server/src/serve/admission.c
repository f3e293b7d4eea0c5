#include "serve/admission.h"

#include <math.h>

enum { MAX_RETRY_AFTER_S = 3600 };

void srv_drain_note(struct srv_drain *drain, size_t n, int64_t busy_us)
{
    double us = busy_us > 0 ? (double)busy_us : 0;
    /* In small steps this is exp(-x). */
    double kept = 1 / (1 + us / SRV_DRAIN_MEMORY_US);
    drain->n_done = drain->n_done * kept + (double)n;
    drain->busy_us = drain->busy_us * kept + us;
}

double srv_drain_us(const struct srv_drain *drain, size_t n)
{
    return drain->n_done > 0 ? (double)n * drain->busy_us / drain->n_done : 0;
}

bool srv_admission_can_meet(const struct srv_drain *drain, size_t n_ahead, size_t n_own,
                            int64_t left_us)
{
    return n_ahead == 0 || srv_drain_us(drain, n_ahead + n_own) <= (double)left_us;
}

unsigned srv_admission_retry_after_s(double us)
{
    double s = ceil(us * 1e-6);
    return s < 1 ? 1 : s > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : (unsigned)s;
}
