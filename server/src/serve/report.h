/* What a reload has done so far: rows for the caller, a log line and a count for each. */
#ifndef SRV_SERVE_REPORT_H
#define SRV_SERVE_REPORT_H

#include "serve/reload.h"

enum { SRV_DIGEST_CHARS = 64 };

/* Where a row's strings live. */
struct srv_report_text {
    char model[SRV_MODEL_CHARS + 1];
    char version[SRV_VERSION_CHARS + 1];
    char digest[SRV_DIGEST_CHARS + 1];
    struct eng_error reason;
};

struct srv_report {
    const struct srv_reload *reload;
    struct srv_reload_row *rows;
    struct srv_report_text *texts;
    size_t n_rows;
    const struct eng_error *first_failure; /* NULL: none */
};

/* Purpose: room for n_max rows. End with srv_report_fini. Errors: NO_MEMORY. */
enum eng_status srv_report_init(struct srv_report *report, const struct srv_reload *reload,
                                size_t n_max, struct eng_error *err);
void srv_report_fini(struct srv_report *report);

/* Purpose: a row; the reason is for the caller to fill. */
struct srv_report_text *srv_report_begin(struct srv_report *report, const char *model,
                                         const char *version);

/*
 * Purpose: says in log and metrics how the last row fared. served: what serves as that version now,
 * NULL: nothing. loaded, removed: as in the row; neither is a failure.
 */
void srv_report_end(struct srv_report *report, const struct srv_served *served, bool loaded,
                    bool removed, int64_t took_us);

#endif
