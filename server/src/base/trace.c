#include "base/trace.h"

#include "base/digits.h"

#include <stdio.h>
#include <string.h>

/* version "-" trace-id "-" parent-id "-" flags */
enum { TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53 };

static bool is_hex(const char *text, size_t n)
{
    return strspn(text, "0123456789abcdef") >= n;
}

static bool is_zero(const char *text, size_t n)
{
    return strspn(text, "0") >= n;
}

static bool is_well_formed(const char *text)
{
    if (strnlen(text, SRV_TRACEPARENT_CHARS) < SRV_TRACEPARENT_CHARS) return false;
    if (text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
        return false;
    if (!is_hex(text, 2) || !is_hex(text + TRACE_AT, SRV_TRACE_ID_CHARS) ||
        !is_hex(text + SPAN_AT, SRV_SPAN_ID_CHARS) || !is_hex(text + FLAGS_AT, 2))
        return false;
    if (is_zero(text + TRACE_AT, SRV_TRACE_ID_CHARS) || is_zero(text + SPAN_AT, SRV_SPAN_ID_CHARS))
        return false;
    char end = text[SRV_TRACEPARENT_CHARS];
    bool is_first_version = text[0] == '0' && text[1] == '0';
    bool is_no_version = text[0] == 'f' && text[1] == 'f';
    return !is_no_version && (end == '\0' || (end == '-' && !is_first_version));
}

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

bool srv_trace_continue(const char *traceparent, uint64_t random, struct srv_trace *out)
{
    if (!is_well_formed(traceparent)) return false;
    struct srv_trace trace = {0};
    memcpy(trace.trace_id, traceparent + TRACE_AT, SRV_TRACE_ID_CHARS);
    memcpy(trace.parent_id, traceparent + SPAN_AT, SRV_SPAN_ID_CHARS);
    srv_hex(random ? random : 1, trace.span_id);
    unsigned flags = hex_value(traceparent[FLAGS_AT]) << 4 | hex_value(traceparent[FLAGS_AT + 1]);
    trace.flags = flags & 1; /* of the others nobody knows here whether they still hold */
    *out = trace;
    return true;
}

void srv_trace_begin(const uint64_t random[3], struct srv_trace *out)
{
    *out = (struct srv_trace){.flags = 1};
    srv_hex(random[0], out->trace_id);
    srv_hex(random[1] ? random[1] : 1, out->trace_id + SRV_SPAN_ID_CHARS);
    srv_hex(random[2] ? random[2] : 1, out->span_id);
}

void srv_trace_header(const struct srv_trace *trace, char text[SRV_TRACEPARENT_CHARS + 1])
{
    snprintf(text, SRV_TRACEPARENT_CHARS + 1, "00-%s-%s-%02x", trace->trace_id, trace->span_id,
             (unsigned)trace->flags);
}
