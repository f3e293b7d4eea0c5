/*
 * Whether sharing a short run pays on this machine now. Where two CPUs share no cache, a line that
 * the other has written takes 0.4 us to come, and a network of 50 us is slower on two threads than
 * on one; where they do, or when other programs leave, it is faster. So runs are timed. The faster
 * kind goes on until its own last times are worse than what the other kind last took, and the other
 * kind is tried again and again: after 8 runs, then ever more rarely, down to 4 of 132.
 */
#ifndef ENG_GRAPH_PACE_H
#define ENG_GRAPH_PACE_H

#include <stdbool.h>

enum {
    ENG_PACE_TIMES = 8, /* of either kind are remembered */
    ENG_PACE_TRIAL = 4, /* runs, of which the first is not timed: a thread wakes, caches turn */
    ENG_PACE_FIRST_GAP = 8,
    ENG_PACE_DOUBLINGS = 4 /* of the gap between two trials, while they change nothing */
};

/* Zeroed at first. */
struct eng_pace {
    float times_s[2][ENG_PACE_TIMES]; /* [alone] rings of the last times */
    unsigned n_times[2], next[2];
    unsigned n_runs; /* of one kind, up to now */
    unsigned n_doublings;
    bool alone;  /* the kind that is preferred */
    bool trying; /* the other */
};

/* Purpose: whether the next run is to go alone. */
bool eng_pace_goes_alone(const struct eng_pace *pace);

/* Purpose: tells how long the run took that was asked about last. */
void eng_pace_took(struct eng_pace *pace, double seconds);

#endif
