/* Monotonic time. */
#ifndef SRV_BASE_CLOCK_H
#define SRV_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Purpose: microseconds since some fixed point; never goes back. */
int64_t srv_clock_us(void);

/* Purpose: a condition whose timed waits are on that clock. End with pthread_cond_destroy. */
void srv_clock_condition_init(pthread_cond_t *condition);

/* Purpose: a time of srv_clock_us, for pthread_cond_timedwait on such a condition. */
struct timespec srv_clock_timespec(int64_t at_us);

/* Purpose: ms from now, for pthread_cond_timedwait on such a condition. */
struct timespec srv_clock_after_ms(int64_t ms);

#endif
