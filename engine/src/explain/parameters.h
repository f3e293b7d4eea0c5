/* Whether the numbers of a request may be. */
#ifndef ENG_EXPLAIN_PARAMETERS_H
#define ENG_EXPLAIN_PARAMETERS_H

#include "engine/explain.h"

/* Errors: ARGUMENT naming the parameter, the value found and the range. */
enum eng_status eng_explain_check_parameters(const struct eng_explain_request *request,
                                             struct eng_error *err);

#endif
