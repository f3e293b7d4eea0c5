#include "serve/admission.h"

#include <math.h>

enum { MAX_RETRY_AFTER_S = 3600 };

void srv_drain_rest(struct srv_drain *drain, int64_t idle_us)
{
    /* In small steps this is exp(-x). */
    double kept = 1 / (1 + (idle_us > 0 ? (double)idle_us : 0) / SRV_DRAIN_MEMORY_US);
    drain->n_done *= kept;
    drain->busy_us *= kept;
}

void srv_drain_note(struct srv_drain *drain, size_t n, int64_t busy_us)
{
    srv_drain_rest(drain, busy_us);
    drain->n_done += (double)n;
    drain->busy_us += busy_us > 0 ? (double)busy_us : 0;
}

double srv_drain_us(const struct srv_drain *drain, size_t n)
{
    return drain->n_done > 0 ? (double)n * drain->busy_us / drain->n_done : 0;
}

bool srv_admission_can_meet(const struct srv_drain *drain, size_t n_ahead, size_t n_own,
                            int64_t left_us)
{
    if (n_ahead == 0 || drain->busy_us < SRV_DRAIN_KNOWN_US) return true;
    return srv_drain_us(drain, n_ahead + n_own) <= (double)left_us;
}

unsigned srv_admission_retry_after_s(double us)
{
    double s = ceil(us * 1e-6);
    return s < 1 ? 1 : s > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : (unsigned)s;
}
