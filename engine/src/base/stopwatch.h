/* Time that only goes forward. */
#ifndef ENG_BASE_STOPWATCH_H
#define ENG_BASE_STOPWATCH_H

/* Purpose: seconds since some moment; differences count. Any thread. */
double eng_stopwatch_s(void);

/* Purpose: the same of the time that the calling thread computed. */
double eng_stopwatch_cpu_s(void);

#endif
