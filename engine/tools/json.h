/* JSON for --json. The tools' home of jansson. */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include "engine/status.h"

#include <jansson.h>

/*
 * Purpose: prints the value and a newline to stdout. Ownership: takes the reference.
 * Errors: NO_MEMORY for NULL: jansson's constructors return it when a part could not be made.
 */
enum eng_status tool_json_print_take(json_t *value, struct eng_error *err);

/* Purpose: a number; null when it is not finite, which JSON cannot say. New reference. */
json_t *tool_json_number(double value);

#endif
