/* Time that only goes forward. */
#ifndef ENG_BASE_CLOCK_H
#define ENG_BASE_CLOCK_H

/* Purpose: seconds since some moment; differences count. Any thread. */
double eng_clock_s(void);

#endif
