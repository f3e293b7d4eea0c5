/* Structured log lines on standard error, written by a thread of their own: a slow reader never
 * holds up a request; what does not fit is dropped and counted. */
#ifndef SRV_BASE_LOG_H
#define SRV_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum srv_log_level { SRV_LOG_DEBUG, SRV_LOG_INFO, SRV_LOG_WARN, SRV_LOG_ERROR };

struct srv_log;
struct srv_log_line;

/* A key of at most SRV_LOG_KEY_BYTES and a value: text, or a number when text is NULL. */
struct srv_log_field {
    const char *key;
    const char *text;
    int64_t number;
};

/* Purpose: starts the thread that writes; fd is borrowed. NULL: out of memory or threads. */
struct srv_log *srv_log_create(int fd, enum srv_log_level level, bool json);
/* Purpose: the least severity that is logged, from now on. log NULL: nothing, ERROR. Any thread. */
void srv_log_set_level(struct srv_log *log, enum srv_log_level level);
enum srv_log_level srv_log_get_level(const struct srv_log *log);

/* Purpose: the form of lines from now on: JSON, or logfmt. log NULL: nothing. Any thread. */
void srv_log_set_json(struct srv_log *log, bool json);

/* Purpose: "debug", "info", "warn", "error", and back; false: no level is called so. */
const char *srv_log_level_name(enum srv_log_level level);
bool srv_log_level_parse(const char *name, enum srv_log_level *out);

/* Purpose: writes what is left, joins the thread. */
void srv_log_destroy(struct srv_log *log);

/* Purpose: one line: time (RFC 3339, UTC, microseconds), level, msg, fields. Values are escaped.
 * log NULL: nothing. Any thread. */
void srv_log_write(struct srv_log *log, enum srv_log_level level, const char *message,
                   const struct srv_log_field *fields, size_t n_fields);

/*
 * Purpose: the same where every microsecond counts: a line whose fields the caller adds by
 * log_line.h between begin and end. log may not be NULL, and the level is not looked at.
 */
void srv_log_begin(const struct srv_log *log, struct srv_log_line *line, enum srv_log_level level,
                   const char *message);
void srv_log_end(struct srv_log *log, struct srv_log_line *line);

/* Purpose: how many lines were dropped so far. */
uint64_t srv_log_dropped(struct srv_log *log);

#endif
