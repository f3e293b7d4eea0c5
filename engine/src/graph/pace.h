/*
 * Whether sharing a short run pays on this machine now. Where two CPUs share no cache, a line that
 * the other has written takes 0.4 us to come, and a network of 50 us is slower on two threads than
 * on one. So runs are timed: some shared, some alone, then many of the better kind, and again.
 */
#ifndef ENG_GRAPH_PACE_H
#define ENG_GRAPH_PACE_H

#include <stdbool.h>

/* Zeroed at first. */
struct eng_pace {
    unsigned n_runs;  /* of this period */
    double best_s[2]; /* [alone] the shortest trial of each kind */
};

enum { ENG_PACE_TRIALS = 4, ENG_PACE_PERIOD = 256 };

/* Purpose: whether the next run is to go alone. */
bool eng_pace_goes_alone(const struct eng_pace *pace);

/* Purpose: tells how long the run took that was asked about last. */
void eng_pace_took(struct eng_pace *pace, double seconds);

#endif
