#include "base/fields.h"

#include "base/error.h"
#include "base/spelling.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void *member(const struct eng_field *field, void *base)
{
    return (char *)base + field->offset;
}

void eng_fields_defaults(const struct eng_field *fields, size_t n, void *base)
{
    for (size_t i = 0; i < n; i++) {
        void *at = member(&fields[i], base);
        switch (fields[i].type) {
        case ENG_FIELD_INT:
            *(int64_t *)at = (int64_t)fields[i].def;
            break;
        case ENG_FIELD_FLOAT:
            *(double *)at = fields[i].def;
            break;
        case ENG_FIELD_BOOL:
            *(bool *)at = fields[i].def != 0;
            break;
        case ENG_FIELD_CHOICE:
            *(int *)at = (int)fields[i].def;
            break;
        case ENG_FIELD_INTS:
            *(struct eng_ints *)at = (struct eng_ints){0};
            break;
        case ENG_FIELD_STRING:
            *(const char **)at = NULL;
            break;
        case ENG_FIELD_TENSOR:
            *(const struct eng_tensor **)at = NULL;
            break;
        case ENG_FIELD_ATTR:
            *(const struct eng_attr **)at = NULL;
            break;
        }
    }
}

const struct eng_field *eng_fields_find(const struct eng_field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    }
    return NULL;
}

const char *eng_fields_nearest(const struct eng_field *fields, size_t n, const char *name)
{
    const char *nearest = NULL;
    size_t least = (strlen(name) + 2) / 3 + 1; /* near: at most one letter in three differs */
    for (size_t i = 0; i < n; i++) {
        size_t distance = eng_text_distance(fields[i].name, name);
        if (distance < least) {
            least = distance;
            nearest = fields[i].name;
        }
    }
    return nearest;
}

static const char *type_wanted(enum eng_field_type type)
{
    static const char *const wanted[] = {
        [ENG_FIELD_INT] = "an integer",
        [ENG_FIELD_FLOAT] = "a number",
        [ENG_FIELD_BOOL] = "0 or 1",
        [ENG_FIELD_CHOICE] = "one of its names",
        [ENG_FIELD_INTS] = "a list of integers",
        [ENG_FIELD_STRING] = "a text",
        [ENG_FIELD_TENSOR] = "a tensor",
        [ENG_FIELD_ATTR] = "an attribute",
    };
    return wanted[type];
}

static enum eng_status wrong_type(const struct eng_field *field, const char *found,
                                  struct eng_error *err)
{
    return eng_fail(err, ENG_ARGUMENT, "%s is %s, but must be %s", field->name, found,
                    type_wanted(field->type));
}

static enum eng_status out_of_range(const struct eng_field *field, double value,
                                    struct eng_error *err)
{
    return eng_fail(err, ENG_ARGUMENT,
                    field->type == ENG_FIELD_FLOAT ? "%s is %.17g, but must lie in %.9g to %.9g"
                                                   : "%s is %.0f, but must lie in %.0f to %.0f",
                    field->name, value, field->min, field->max);
}

/* False for NaN too. */
static bool in_range(const struct eng_field *field, double value)
{
    return value >= field->min && value <= field->max;
}

enum eng_status eng_field_set_int(const struct eng_field *field, void *base, int64_t value,
                                  struct eng_error *err)
{
    void *at = member(field, base);
    if (field->type != ENG_FIELD_INT && field->type != ENG_FIELD_FLOAT &&
        field->type != ENG_FIELD_BOOL)
        return wrong_type(field, "an integer", err);
    if (!in_range(field, (double)value)) return out_of_range(field, (double)value, err);
    if (field->type == ENG_FIELD_INT)
        *(int64_t *)at = value;
    else if (field->type == ENG_FIELD_FLOAT)
        *(double *)at = (double)value;
    else
        *(bool *)at = value != 0;
    return ENG_OK;
}

enum eng_status eng_field_set_number(const struct eng_field *field, void *base, double value,
                                     struct eng_error *err)
{
    if (field->type == ENG_FIELD_FLOAT) {
        if (!in_range(field, value)) return out_of_range(field, value, err);
        *(double *)member(field, base) = value;
        return ENG_OK;
    }
    if (field->type != ENG_FIELD_INT && field->type != ENG_FIELD_BOOL)
        return wrong_type(field, "a number", err);
    if (value != floor(value)) /* NaN too */
        return eng_fail(err, ENG_ARGUMENT, "%s is %.17g, but must be %s", field->name, value,
                        type_wanted(field->type));
    if (!in_range(field, value) || value < -0x1p63 || value >= 0x1p63)
        return out_of_range(field, value, err);
    return eng_field_set_int(field, base, (int64_t)value, err);
}

enum eng_status eng_field_set_ints(const struct eng_field *field, void *base, const int64_t *values,
                                   size_t n, struct eng_error *err)
{
    if (field->type != ENG_FIELD_INTS) return wrong_type(field, "a list of integers", err);
    if (n > ENG_MAX_INTS)
        return eng_fail(err, ENG_ARGUMENT, "%s has %zu integers, but may have at most %d",
                        field->name, n, ENG_MAX_INTS);
    for (size_t i = 0; i < n; i++) {
        if (!in_range(field, (double)values[i]))
            return eng_fail(err, ENG_ARGUMENT,
                            "%s[%zu] is %" PRId64 ", but must lie in %.0f to %.0f", field->name, i,
                            values[i], field->min, field->max);
    }
    struct eng_ints *ints = member(field, base);
    *ints = (struct eng_ints){.n = (int)n};
    if (n) memcpy(ints->v, values, n * sizeof *values);
    return ENG_OK;
}

static enum eng_status unknown_choice(const struct eng_field *field, const char *text,
                                      struct eng_error *err)
{
    char list[256] = "";
    for (size_t i = 0, at = 0; field->choices[i] && at < sizeof list; i++)
        at +=
            (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", field->choices[i]);
    return eng_fail(err, ENG_ARGUMENT, "%s is '%.64s', but must be one of: %s", field->name, text,
                    list);
}

enum eng_status eng_field_set_text(const struct eng_field *field, void *base, const char *text,
                                   struct eng_error *err)
{
    void *at = member(field, base);
    if (field->type == ENG_FIELD_STRING) {
        *(const char **)at = text;
        return ENG_OK;
    }
    if (field->type != ENG_FIELD_CHOICE) return wrong_type(field, "a text", err);
    for (int i = 0; field->choices[i]; i++) {
        if (strcmp(field->choices[i], text) == 0) {
            *(int *)at = i;
            return ENG_OK;
        }
    }
    return unknown_choice(field, text, err);
}
