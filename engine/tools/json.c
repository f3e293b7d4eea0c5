#include "json.h"

#include "base/error.h"

#include <math.h>

enum { FLOAT_DIGITS = 9 }; /* enough to read the same float back */

enum eng_status tool_json_print_take(json_t *value, struct eng_error *err)
{
    if (!value)
        return eng_fail(err, ENG_FORMAT,
                        "the answer cannot be JSON: a name is not UTF-8, or memory ran out");
    int failed = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(FLOAT_DIGITS));
    json_decref(value);
    if (failed) return eng_fail(err, ENG_IO, "the JSON answer could not be written");
    puts("");
    return ENG_OK;
}

json_t *tool_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
