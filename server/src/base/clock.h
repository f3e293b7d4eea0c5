/* Monotonic time. */
#ifndef SRV_BASE_CLOCK_H
#define SRV_BASE_CLOCK_H

#include <stdint.h>

/* Purpose: microseconds since some fixed point; never goes back. */
int64_t srv_clock_us(void);

#endif
