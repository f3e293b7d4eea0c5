/* What it took from a file to a first answer. */
#ifndef TOOLS_LOAD_REPORT_H
#define TOOLS_LOAD_REPORT_H

#include "engine/model.h"
#include "json.h"

struct tool_load {
    const struct eng_model *model;
    double session_s;   /* creating a session, its pool and input */
    double first_run_s; /* the session's first */
    double peak_bytes;  /* the most memory that the process had in use, up to then */
};

/* Purpose: notes how much memory the process has had in use. */
void tool_load_note_peak(struct tool_load *load);

void tool_load_print(const struct tool_load *load);

/* Purpose: the same as JSON, NULL when out of memory. */
json_t *tool_load_json(const struct tool_load *load);

#endif
