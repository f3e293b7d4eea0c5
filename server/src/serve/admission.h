/*
 * What can be met, and when to come again: an estimate from what waits and from the rate at which
 * the queue drained of late. Pure functions and a struct that the caller guards.
 */
#ifndef SRV_SERVE_ADMISSION_H
#define SRV_SERVE_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decayed sums: what was done in how much busy time. Zeroed: nothing is known. */
struct srv_drain {
    double n_done, busy_us;
};

/*
 * Purpose: notes that n (pictures) were done in the last busy_us, which pass for all workers alike:
 * time in which nothing was under way is not counted. What lies SRV_DRAIN_MEMORY_US of busy time
 * back weighs a third, and less with more.
 */
#define SRV_DRAIN_MEMORY_US 2e6
void srv_drain_note(struct srv_drain *drain, size_t n, int64_t busy_us);

/* Purpose: notes that nothing was under way for idle_us. The rate stays, and weighs less beside
 * what is measured next. */
void srv_drain_rest(struct srv_drain *drain, int64_t idle_us);

/* Purpose: how long n take at the measured rate, in microseconds; 0 if nothing was measured. */
double srv_drain_us(const struct srv_drain *drain, size_t n);

/*
 * Purpose: whether n_own pictures behind n_ahead others can be computed within left_us.
 * Where nobody is ahead it is always tried: otherwise a model that was slow once would refuse
 * everything, and never be measured again. So it is while the rate rests on less than
 * SRV_DRAIN_KNOWN_US of busy time: at first, and after a minute or two of silence.
 */
#define SRV_DRAIN_KNOWN_US 5e4
bool srv_admission_can_meet(const struct srv_drain *drain, size_t n_ahead, size_t n_own,
                            int64_t left_us);

/* Purpose: the seconds of Retry-After for us microseconds: rounded up, 1 to 3600. */
unsigned srv_admission_retry_after_s(double us);

#endif
