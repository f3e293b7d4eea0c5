/* A log line behind its time, formatted into memory of the caller: no allocation, no lock. */
#ifndef SRV_BASE_LOG_LINE_H
#define SRV_BASE_LOG_LINE_H

#include "base/log.h"

enum { SRV_LOG_LINE_BYTES = 8192, SRV_LOG_KEY_BYTES = 16 };

struct srv_log_line {
    bool is_json; /* else logfmt */
    size_t n_bytes;
    char bytes[SRV_LOG_LINE_BYTES];
};

/* A literal as a key, filled up with NULs: of a length known to the compiler, it is copied without
 * a loop. */
#define SRV_LOG_KEY(literal) ((const char[SRV_LOG_KEY_BYTES]){literal})

/* Purpose: begins with level and msg, as logfmt or as members of a JSON object whose first one, the
 * time, stands before. */
void srv_log_line_begin(struct srv_log_line *line, bool is_json, enum srv_log_level level,
                        const char *message);

/* Each adds a field, or leaves it out if the line has no room for it. A text is cut after 1024
 * bytes. A word is a text known to be letters, digits and such, that stand bare in any form. */
void srv_log_line_text(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                       const char *text);
void srv_log_line_word(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                       const char *word);
void srv_log_line_number(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                         int64_t number);

/* Purpose: the end, with the newline. */
void srv_log_line_end(struct srv_log_line *line);

#endif
