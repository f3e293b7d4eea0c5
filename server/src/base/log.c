#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 1 << 20,
    MAX_VALUE_BYTES = 1024,
    GATHER_MS = 10,      /* lines wait this long for company: one write serves many */
    LAST_WORDS_MS = 1000 /* at the end a reader that takes nothing is given this long */
};

struct srv_log {
    int fd;
    _Atomic enum srv_log_level level;
    bool json;
    pthread_t writer;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    char *filling, *writing; /* BUFFER_BYTES each */
    size_t n_filled;
    bool stopping;
    atomic_uint_least64_t n_dropped;
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

const char *srv_log_level_name(enum srv_log_level level)
{
    return level_names[level];
}

bool srv_log_level_parse(const char *name, enum srv_log_level *out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(name, level_names[i]) != 0) continue;
        *out = i;
        return true;
    }
    return false;
}

void srv_log_set_level(struct srv_log *log, enum srv_log_level level)
{
    if (log) atomic_store_explicit(&log->level, level, memory_order_relaxed);
}

enum srv_log_level srv_log_get_level(const struct srv_log *log)
{
    return log ? atomic_load_explicit(&log->level, memory_order_relaxed) : SRV_LOG_ERROR;
}

static bool is_stopping(struct srv_log *log)
{
    pthread_mutex_lock(&log->mutex);
    bool stopping = log->stopping;
    pthread_mutex_unlock(&log->mutex);
    return stopping;
}

/* A broken descriptor loses the lines: there is nowhere to say so. */
static void write_all(struct srv_log *log, const char *bytes, size_t n)
{
    int patience_ms = LAST_WORDS_MS;
    while (n > 0) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        if (poll(&ready, 1, 100) == 0) {
            if (is_stopping(log) && (patience_ms -= 100) <= 0) return;
            continue;
        }
        /* A pipe that is ready takes PIPE_BUF bytes without blocking. */
        ssize_t written = write(log->fd, bytes, n < 4096 ? n : 4096);
        if (written < 0 && errno != EINTR && errno != EAGAIN) return;
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
}

static void *write_lines(void *argument)
{
    struct srv_log *log = argument;
    pthread_mutex_lock(&log->mutex);
    while (!log->stopping || log->n_filled > 0) {
        while (log->n_filled == 0 && !log->stopping)
            pthread_cond_wait(&log->wake, &log->mutex);
        struct timespec until = srv_clock_after_ms(GATHER_MS);
        while (!log->stopping && log->n_filled < BUFFER_BYTES / 2)
            if (pthread_cond_timedwait(&log->wake, &log->mutex, &until) == ETIMEDOUT) break;
        char *full = log->filling;
        size_t n = log->n_filled;
        log->filling = log->writing;
        log->writing = full;
        log->n_filled = 0;
        pthread_mutex_unlock(&log->mutex);
        write_all(log, full, n);
        pthread_mutex_lock(&log->mutex);
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

static void free_log(struct srv_log *log)
{
    free(log->filling);
    free(log->writing);
    pthread_cond_destroy(&log->wake);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

struct srv_log *srv_log_create(int fd, enum srv_log_level level, bool json)
{
    struct srv_log *log = calloc(1, sizeof *log);
    if (!log) return NULL;
    log->fd = fd;
    atomic_init(&log->level, level);
    log->json = json;
    pthread_mutex_init(&log->mutex, NULL);
    srv_clock_condition_init(&log->wake);
    log->filling = malloc(BUFFER_BYTES);
    log->writing = malloc(BUFFER_BYTES);
    if (!log->filling || !log->writing ||
        pthread_create(&log->writer, NULL, write_lines, log) != 0) {
        free_log(log);
        return NULL;
    }
    return log;
}

void srv_log_destroy(struct srv_log *log)
{
    if (!log) return;
    pthread_mutex_lock(&log->mutex);
    log->stopping = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->mutex);
    pthread_join(log->writer, NULL);
    free_log(log);
}

static void append_time(struct srv_text *line)
{
    struct timespec now;
    struct tm utc;
    char second[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S", &utc);
    srv_text_printf(line, "%s.%06ldZ", second, now.tv_nsec / 1000);
}

/* logfmt leaves plain words bare; everything else is quoted as JSON does. */
static bool is_plain(const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (value[i] <= ' ' || value[i] >= 0x7F || strchr("\"\\=", value[i])) return false;
    return n > 0;
}

static void append_value(struct srv_text *line, bool json, const char *value)
{
    size_t n = strnlen(value, MAX_VALUE_BYTES);
    if (!json && is_plain(value, n))
        srv_text_append(line, value, n);
    else
        srv_text_json_bytes(line, value, n);
}

static void append_field(struct srv_text *line, bool json, const struct srv_log_field *field)
{
    srv_text_puts(line, json ? ",\"" : " ");
    srv_text_puts(line, field->key);
    srv_text_puts(line, json ? "\":" : "=");
    if (field->text)
        append_value(line, json, field->text);
    else
        srv_text_integer(line, field->number);
}

static void format_line(struct srv_text *line, const struct srv_log *log, enum srv_log_level level,
                        const char *message, const struct srv_log_field *fields, size_t n_fields)
{
    srv_text_puts(line, log->json ? "{\"time\":\"" : "time=");
    append_time(line);
    srv_text_puts(line, log->json ? "\",\"level\":\"" : " level=");
    srv_text_puts(line, level_names[level]);
    srv_text_puts(line, log->json ? "\",\"msg\":" : " msg=");
    append_value(line, log->json, message);
    for (size_t i = 0; i < n_fields; i++)
        append_field(line, log->json, &fields[i]);
    srv_text_puts(line, log->json ? "}\n" : "\n");
}

void srv_log_write(struct srv_log *log, enum srv_log_level level, const char *message,
                   const struct srv_log_field *fields, size_t n_fields)
{
    if (!log || level < srv_log_get_level(log)) return;
    struct srv_text line = {0};
    format_line(&line, log, level, message, fields, n_fields);
    pthread_mutex_lock(&log->mutex);
    if (line.failed || line.n_bytes > BUFFER_BYTES - log->n_filled) {
        atomic_fetch_add_explicit(&log->n_dropped, 1, memory_order_relaxed);
    } else {
        bool was_empty = log->n_filled == 0;
        bool was_half = log->n_filled >= BUFFER_BYTES / 2;
        memcpy(log->filling + log->n_filled, line.bytes, line.n_bytes);
        log->n_filled += line.n_bytes;
        if (was_empty || (!was_half && log->n_filled >= BUFFER_BYTES / 2))
            pthread_cond_signal(&log->wake);
    }
    pthread_mutex_unlock(&log->mutex);
    srv_text_fini(&line);
}

uint64_t srv_log_dropped(struct srv_log *log)
{
    return log ? atomic_load_explicit(&log->n_dropped, memory_order_relaxed) : 0;
}
