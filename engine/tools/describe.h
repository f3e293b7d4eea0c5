/* A model described for people and for programs. */
#ifndef TOOLS_DESCRIBE_H
#define TOOLS_DESCRIBE_H

#include "json.h"

struct eng_model;

/* Purpose: prints card, inputs, outputs, nodes and totals to stdout. */
void tool_describe_print(const struct eng_model *model, const char *path);

/* Purpose: the same as an object. New reference; NULL when out of memory. */
json_t *tool_describe_json(const struct eng_model *model, const char *path);

#endif
