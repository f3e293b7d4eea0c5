/* A log line behind its time, formatted into memory of the caller: no allocation, no lock. For
 * log.c. */
#ifndef SRV_BASE_LOG_LINE_H
#define SRV_BASE_LOG_LINE_H

#include "base/log.h"

enum { SRV_LOG_LINE_BYTES = 8192 };

struct srv_log_line {
    size_t n_bytes;
    char bytes[SRV_LOG_LINE_BYTES];
};

/*
 * Purpose: level, msg and fields, as logfmt or as members of a JSON object whose first one, the
 * time, stands before; the newline included. A text is cut after 1024 bytes, and a field that the
 * line has no room for is left out.
 */
void srv_log_line_format(struct srv_log_line *line, bool json, enum srv_log_level level,
                         const char *message, const struct srv_log_field *fields, size_t n_fields);

#endif
