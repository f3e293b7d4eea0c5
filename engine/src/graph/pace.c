#include "graph/pace.h"

/* Trials in the order shared, alone. A shared run is preferred when it is as good. */
bool eng_pace_goes_alone(const struct eng_pace *pace)
{
    if (pace->n_runs < 2 * ENG_PACE_TRIALS) return pace->n_runs >= ENG_PACE_TRIALS;
    return pace->best_s[true] < pace->best_s[false];
}

void eng_pace_took(struct eng_pace *pace, double seconds)
{
    bool alone = eng_pace_goes_alone(pace);
    unsigned trial = pace->n_runs - (alone ? ENG_PACE_TRIALS : 0);
    if (pace->n_runs < 2 * ENG_PACE_TRIALS && (trial == 0 || seconds < pace->best_s[alone]))
        pace->best_s[alone] = seconds;
    if (++pace->n_runs == ENG_PACE_PERIOD) pace->n_runs = 0;
}
