/* W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/): the header traceparent. */
#ifndef SRV_BASE_TRACE_H
#define SRV_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum { SRV_TRACE_ID_CHARS = 32, SRV_SPAN_ID_CHARS = 16, SRV_TRACEPARENT_CHARS = 55 };

/* Hexadecimal, lower case. All "": no trace. parent_id "": the trace begins here. */
struct srv_trace {
    char trace_id[SRV_TRACE_ID_CHARS + 1];
    char parent_id[SRV_SPAN_ID_CHARS + 1]; /* the caller's span */
    char span_id[SRV_SPAN_ID_CHARS + 1];   /* ours */
    uint8_t flags;
};

/*
 * Purpose: the trace that a traceparent names, with random, 0 excepted, as our span. Of a later
 * version only what this one knows is read.
 * Errors: false and *out unchanged if it is malformed: then there is no trace.
 */
bool srv_trace_continue(const char *traceparent, uint64_t random, struct srv_trace *out);

/* Purpose: a trace that begins here, of two random numbers for the trace and one for our span. */
void srv_trace_begin(const uint64_t random[3], struct srv_trace *out);

/* Purpose: the traceparent that says where we are in the trace. */
void srv_trace_header(const struct srv_trace *trace, char text[SRV_TRACEPARENT_CHARS + 1]);

#endif
