/* Nested lists of numbers: where nearly all the time goes that reading JSON takes. */
#include "base/fail.h"
#include "base/json_number.h"
#include "base/json_reader.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 1024 };

struct list {
    struct srv_json_numbers *out;
    size_t capacity, max_n;
};

static bool grow(struct srv_json *json, struct list *list)
{
    struct srv_json_numbers *out = list->out;
    if (out->n == list->max_n)
        return srv_json_fail_limit(json, "there are more than %zu numbers, max_json_values",
                                   list->max_n);
    size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
    if (capacity > list->max_n) capacity = list->max_n;
    float *values = realloc(out->values, capacity * sizeof *values);
    if (!values) {
        json->failed = true;
        srv_fail_memory(json->err, "the numbers of a request");
        return false;
    }
    out->values = values;
    list->capacity = capacity;
    return true;
}

/* One number, as srv_json_number would take it. */
static bool read_number(struct srv_json *json, struct list *list)
{
    struct srv_json_numbers *out = list->out;
    if (out->n == list->capacity && !grow(json, list)) return false;
    float value;
    const char *end = srv_json_scan_float(json->at, &value);
    if (!end || value - value != 0) {
        double number;
        if (srv_json_number(json, &number))
            srv_json_fail(json, "%.9g is beyond the range of floats", number);
        return false;
    }
    json->at = end;
    out->values[out->n++] = value;
    return true;
}

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

/* Numbers of the innermost list until something else follows; *length counts them. The text ends
 * with a zero byte, so nothing is read behind it. */
static bool read_run(struct srv_json *json, struct list *list, size_t *length)
{
    struct srv_json_level *level = &json->levels[json->depth - 1];
    for (;;) {
        if (!read_number(json, list)) return false;
        ++*length;
        const char *at = skip_blanks(json->at);
        if (*at != ',') return true;
        at = skip_blanks(at + 1);
        if (*at != '-' && (*at < '0' || *at > '9')) return true;
        json->at = at;
        level->index++;
    }
}

/* The first list of a depth says how long all others there must be. */
static bool check_length(struct srv_json *json, struct list *list, size_t depth, size_t length)
{
    size_t *dim = &list->out->dim[depth];
    if (*dim == SIZE_MAX) *dim = length;
    if (*dim == length) return true;
    return srv_json_fail(json, "a list has %zu values, the one before it %zu", length, *dim);
}

/* To the next value that is still inside, or out of all lists. */
static bool close_lists(struct srv_json *json, struct list *list, size_t base, size_t *length)
{
    while (!srv_json_next(json)) {
        if (json->failed) return false;
        size_t depth = json->depth - base;
        if (!check_length(json, list, depth, length[depth])) return false;
        if (depth == 0) return true;
        length[depth - 1]++;
    }
    return true;
}

/* To the next number: all stand in lists of one depth, the rank. */
static bool open_lists(struct srv_json *json, struct list *list, size_t base, size_t *length)
{
    struct srv_json_numbers *out = list->out;
    while (srv_json_peek(json) == SRV_JSON_ARRAY) {
        size_t depth = json->depth - base;
        if (depth == (out->rank ? out->rank : SRV_JSON_MAX_RANK))
            return srv_json_fail(json, "lists are nested deeper here than before");
        if (!srv_json_enter(json, SRV_JSON_ARRAY)) return false;
        length[depth] = 0;
        if (!srv_json_next(json))
            return json->failed ? false : srv_json_fail(json, "a list is empty");
    }
    size_t depth = json->depth - base;
    if (out->rank == 0) out->rank = depth;
    if (json->failed || out->rank == depth) return !json->failed;
    return srv_json_fail(json, "here is %s, wanted a list as before",
                         srv_json_kind_name(srv_json_peek(json)));
}

bool srv_json_read_numbers(struct srv_json *json, size_t max_n, struct srv_json_numbers *out)
{
    struct srv_json_numbers numbers = {0};
    struct list list = {.out = &numbers, .max_n = max_n};
    size_t base = json->depth, length[SRV_JSON_MAX_RANK];
    for (size_t i = 0; i < SRV_JSON_MAX_RANK; i++)
        numbers.dim[i] = SIZE_MAX;
    if (srv_json_peek(json) != SRV_JSON_ARRAY) {
        srv_json_fail(json, "this is %s, wanted a list of numbers",
                      srv_json_kind_name(srv_json_peek(json)));
        return false;
    }
    do {
        if (!open_lists(json, &list, base, length) ||
            !read_run(json, &list, &length[json->depth - base - 1]) ||
            !close_lists(json, &list, base, length))
            break;
    } while (json->depth > base);
    if (json->failed) {
        free(numbers.values);
        return false;
    }
    *out = numbers;
    return true;
}
