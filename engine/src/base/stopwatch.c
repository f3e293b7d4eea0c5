#include "base/stopwatch.h"

#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double eng_stopwatch_s(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double eng_stopwatch_cpu_s(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
