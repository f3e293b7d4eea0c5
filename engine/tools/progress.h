/* A training run's progress: a bar on a terminal, plain lines elsewhere. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include "engine/train.h"

#include <stdbool.h>
#include <stdio.h>

struct tool_progress {
    FILE *out;
    bool terminal;
    size_t columns; /* of the terminal; 0: asked before each drawing */
    bool line_open; /* a bar stands on the current line */
    bool started;
    double start_s; /* of the run */
    double last_shown_s;
};

void tool_progress_init(struct tool_progress *progress, FILE *out);

/*
 * Purpose: shows where the run stands: on a terminal one line that is drawn over, at most ten times
 *          a second and never wider than the terminal; elsewhere a line every ten seconds. Both
 *          write a line at the end of an epoch.
 */
void tool_progress_show(struct tool_progress *progress, const struct eng_train_progress *at);

/* Purpose: ends an unfinished line. */
void tool_progress_end(struct tool_progress *progress);

/* Purpose: the seconds that are left, were every step to come as fast as those before. */
double tool_progress_left_s(const struct eng_train_progress *at, double elapsed_s);

/* Purpose: writes "1:02:03" or "2:03" into buf. Returns buf. */
char *tool_progress_clock(double seconds, char *buf, size_t n);

#endif
