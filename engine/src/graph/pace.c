#include "graph/pace.h"

#include <math.h>

/* What is gained by less does not pay for changing. */
static const float clearly = 0.97F;

bool eng_pace_goes_alone(const struct eng_pace *pace)
{
    return pace->alone != pace->trying;
}

static void remember(struct eng_pace *pace, bool alone, float seconds)
{
    unsigned *next = &pace->next[alone];
    pace->times_s[alone][*next] = seconds;
    *next = (*next + 1) % ENG_PACE_TIMES;
    if (pace->n_times[alone] < ENG_PACE_TIMES) pace->n_times[alone]++;
}

/* The second best of the last times: neither what a disturbed trial took, nor one lucky run. */
static float usual_s(const struct eng_pace *pace, bool alone)
{
    float best = INFINITY, second = INFINITY;
    for (unsigned i = 0; i < pace->n_times[alone]; i++) {
        float s = pace->times_s[alone][i];
        second = s < best ? best : fminf(s, second);
        best = fminf(s, best);
    }
    return second;
}

static bool is_other_better(const struct eng_pace *pace)
{
    return usual_s(pace, !pace->alone) < clearly * usual_s(pace, pace->alone);
}

static void change(struct eng_pace *pace)
{
    pace->alone = !pace->alone;
    pace->n_doublings = 0;
}

static void end_trial(struct eng_pace *pace)
{
    pace->trying = false;
    if (is_other_better(pace)) {
        change(pace);
        return;
    }
    pace->n_runs = 0;
    if (pace->n_doublings < ENG_PACE_DOUBLINGS) pace->n_doublings++;
}

void eng_pace_took(struct eng_pace *pace, double seconds)
{
    bool alone = eng_pace_goes_alone(pace);
    if (pace->n_runs++ > 0) remember(pace, alone, (float)seconds);
    if (pace->trying) {
        if (pace->n_runs == ENG_PACE_TRIAL) end_trial(pace);
    } else if (is_other_better(pace)) {
        change(pace);
        pace->n_runs = 0;
    } else if (pace->n_runs >= (unsigned)ENG_PACE_FIRST_GAP << pace->n_doublings) {
        pace->trying = true;
        pace->n_runs = 0;
    }
}
