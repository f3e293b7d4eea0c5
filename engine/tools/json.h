/* JSON for --json. The tools' home of jansson. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include "engine/status.h"

#include <jansson.h>
#include <stdio.h>

/*
 * Purpose: prints the value and a newline to stdout. Ownership: takes the reference.
 * Errors: FORMAT for NULL, which jansson's constructors return for a text that is not UTF-8 and
 * when memory runs out; IO.
 */
enum eng_status tool_json_print_take(json_t *value, struct eng_error *err);

/* Purpose: the same on one line, for answers that are mostly numbers. */
enum eng_status tool_json_print_line_take(json_t *value, struct eng_error *err);

/* Purpose: a number; null when it is not finite, which JSON cannot say. New reference. */
json_t *tool_json_number(double value);

/*
 * Purpose: writes the value, each object and list on one line if it fits TOOL_JSON_COLUMNS, else an
 *          entry to a line. Errors show in the stream, or NO_MEMORY.
 */
enum eng_status tool_json_write(const json_t *value, FILE *out, struct eng_error *err);

enum { TOOL_JSON_COLUMNS = 110 };

#endif
