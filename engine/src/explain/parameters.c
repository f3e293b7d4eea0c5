/* What users may set of an explanation: one table for reading, checking, help and documentation. */
#include "explain/parameters.h"

#include "base/error.h"
#include "base/fields.h"

#include <stdlib.h>

static const char *const baselines[] = {
    [ENG_EXPLAIN_ZERO] = "zero",   [ENG_EXPLAIN_BLACK] = "black", [ENG_EXPLAIN_GRAY] = "gray",
    [ENG_EXPLAIN_WHITE] = "white", [ENG_EXPLAIN_MEAN] = "mean",   NULL,
};

#define R struct eng_explain_request
static const struct eng_field fields[] = {
    ENG_F_INT(R, steps, 64, 1, 1024,
              "points on the path from the baseline to the picture, to begin with: up to 1024 are "
              "taken until "
              "the map's sum is the difference of the scores"),
    ENG_F_INT(R, samples, 32, 1, 1024, "noisy copies of the picture"),
    ENG_F_FLOAT(R, noise, 0.15, 0, 10,
                "standard deviation of the noise, as a share of the picture's range of values"),
    ENG_F_INT(R, seed, 1, 0, INT32_MAX, "of the noise"),
    ENG_F_INT(R, patch, 0, 0, UINT16_MAX,
              "side of the covering patch in pixels of the model's picture; 0: a seventh of its "
              "shorter side"),
    ENG_F_INT(R, stride, 0, 0, UINT16_MAX, "pixels from patch to patch; 0: half a patch"),
    ENG_F_CHOICE(R, baseline, ENG_EXPLAIN_ZERO, baselines,
                 "the picture that stands for nothing: zero (0 in every value that the network "
                 "gets), a colour, or mean (the picture's own mean colour)"),
    ENG_F_INT(R, neighbours, 10, 1, 1000, "how many training pictures"),
};
#undef R
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

/* In the fields' order: who reads them. */
static const unsigned readers[N_FIELDS] = {
    1u << ENG_EXPLAIN_INTEGRATED_GRADIENTS,
    1u << ENG_EXPLAIN_SMOOTHGRAD,
    1u << ENG_EXPLAIN_SMOOTHGRAD,
    1u << ENG_EXPLAIN_SMOOTHGRAD,
    1u << ENG_EXPLAIN_OCCLUSION,
    1u << ENG_EXPLAIN_OCCLUSION,
    1u << ENG_EXPLAIN_INTEGRATED_GRADIENTS | 1u << ENG_EXPLAIN_OCCLUSION,
    1u << ENG_EXPLAIN_NEIGHBOURS,
};

struct eng_explain_request eng_explain_defaults(void)
{
    struct eng_explain_request request = {.method = ENG_EXPLAIN_AUTO, .class_index = -1};
    eng_fields_defaults(fields, N_FIELDS, &request);
    return request;
}

size_t eng_explain_n_parameters(void)
{
    return N_FIELDS;
}

struct eng_explain_parameter eng_explain_parameter(size_t i)
{
    const struct eng_field *field = &fields[i];
    bool choice = field->type == ENG_FIELD_CHOICE;
    size_t n_choices = 0;
    while (choice && field->choices[n_choices])
        n_choices++;
    return (struct eng_explain_parameter){.name = field->name,
                                          .help = field->help,
                                          .choices = field->choices,
                                          .is_whole = field->type == ENG_FIELD_INT,
                                          .standard = field->def,
                                          .min = field->min,
                                          .max = choice ? (double)n_choices - 1 : field->max,
                                          .methods = readers[i]};
}

static enum eng_status set_number(const struct eng_field *field,
                                  struct eng_explain_request *request, const char *text,
                                  struct eng_error *err)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || (*text != '-' && *text != '.' && (*text < '0' || *text > '9')))
        return eng_fail(err, ENG_ARGUMENT, "%s is '%.64s', wanted a number from %g to %g",
                        field->name, text, field->min, field->max);
    return eng_field_set_number(field, request, value, err);
}

enum eng_status eng_explain_set(struct eng_explain_request *request, const char *name,
                                const char *text, struct eng_error *err)
{
    const struct eng_field *field = eng_fields_find(fields, N_FIELDS, name);
    if (!field) {
        const char *nearest = eng_fields_nearest(fields, N_FIELDS, name);
        return eng_fail(err, ENG_ARGUMENT, "an explanation has no parameter '%.64s'%s%s%s", name,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : "");
    }
    if (request->method != ENG_EXPLAIN_AUTO && !(readers[field - fields] >> request->method & 1))
        return eng_fail(err, ENG_ARGUMENT, "%s is '%.64s', but the method %s has no such parameter",
                        name, text, eng_explain_method_name(request->method));
    if (field->type == ENG_FIELD_CHOICE) return eng_field_set_text(field, request, text, err);
    return set_number(field, request, text, err);
}

/* The setters judge: a copy is set to what the request holds. */
static enum eng_status check_field(const struct eng_field *field,
                                   const struct eng_explain_request *request, struct eng_error *err)
{
    struct eng_explain_request copy = *request;
    const char *at = (const char *)request + field->offset;
    if (field->type == ENG_FIELD_INT)
        return eng_field_set_int(field, &copy, *(const int64_t *)(const void *)at, err);
    if (field->type == ENG_FIELD_FLOAT)
        return eng_field_set_number(field, &copy, *(const double *)(const void *)at, err);
    int choice = *(const int *)(const void *)at;
    if (choice >= ENG_EXPLAIN_ZERO && choice <= ENG_EXPLAIN_MEAN) return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT, "%s is %d, wanted 0 to %d", field->name, choice,
                    ENG_EXPLAIN_MEAN);
}

enum eng_status eng_explain_check_parameters(const struct eng_explain_request *request,
                                             struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < N_FIELDS; i++)
        status = check_field(&fields[i], request, err);
    return status;
}
