#include "base/log.h"

#include "base/clock.h"
#include "base/log_line.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 1 << 20,
    MAX_STAMP_BYTES = 48,
    GATHER_MS = 10,      /* lines wait this long for company: one write serves many */
    LAST_WORDS_MS = 1000 /* at the end a reader that takes nothing is given this long */
};

struct srv_log {
    int fd;
    mode_t kind; /* S_IFIFO, S_IFREG ...; the writer's */
    _Atomic enum srv_log_level level;
    atomic_bool json;
    pthread_t writer;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    char *filling, *writing; /* BUFFER_BYTES each */
    size_t n_filled;
    bool stopping;
    time_t second;      /* that stamp says */
    bool stamp_is_json; /* its form */
    char stamp[MAX_STAMP_BYTES];
    size_t n_stamp;
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

void srv_log_set_json(struct srv_log *log, bool json)
{
    if (log) atomic_store_explicit(&log->json, json, memory_order_relaxed);
}

static bool is_stopping(struct srv_log *log)
{
    pthread_mutex_lock(&log->mutex);
    bool stopping = log->stopping;
    pthread_mutex_unlock(&log->mutex);
    return stopping;
}

/* Never waits on a reader who does not read. What poll calls ready takes PIPE_BUF bytes at least; a
 * pipe takes what it has room for where the kernel knows how (Linux 6.4), a file everything. */
static ssize_t write_some(struct srv_log *log, const char *bytes, size_t n)
{
    if (log->kind == S_IFREG) return write(log->fd, bytes, n);
    if (log->kind == S_IFIFO) {
        const struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
        ssize_t written = pwritev2(log->fd, &part, 1, -1, RWF_NOWAIT);
        if (written >= 0 || errno == EAGAIN || errno == EINTR) return written;
        log->kind = 0; /* an older kernel, or a broken pipe, as write will tell */
    }
    return write(log->fd, bytes, n < PIPE_BUF ? n : PIPE_BUF);
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
        ssize_t written = write_some(log, bytes, n);
        if (written < 0 && errno != EINTR && errno != EAGAIN) return;
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
        /* A full pipe is ready again once a page is free: waiting for more saves many turns. */
        if (n > 0 && log->kind == S_IFIFO) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
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
    struct stat about;
    log->fd = fd;
    log->kind = fstat(fd, &about) == 0 ? about.st_mode & S_IFMT : 0;
    atomic_init(&log->level, level);
    atomic_init(&log->json, json);
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

/* Lock held. {"time":"2026-11-23T20:15:00.123456Z" or the same as logfmt. Returns its length. */
static size_t stamp(struct srv_log *log, bool json, char text[MAX_STAMP_BYTES])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != log->second || json != log->stamp_is_json) {
        struct tm utc;
        gmtime_r(&now.tv_sec, &utc);
        log->n_stamp =
            strftime(log->stamp, sizeof log->stamp,
                     json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S." : "time=%Y-%m-%dT%H:%M:%S.", &utc);
        log->second = now.tv_sec;
        log->stamp_is_json = json;
    }
    size_t n = log->n_stamp;
    memcpy(text, log->stamp, n);
    long microseconds = now.tv_nsec / 1000;
    for (size_t i = 6; i-- > 0; microseconds /= 10)
        text[n + i] = (char)('0' + microseconds % 10);
    n += 6;
    text[n++] = 'Z';
    if (json) text[n++] = '"';
    return n;
}

void srv_log_begin(const struct srv_log *log, struct srv_log_line *line, enum srv_log_level level,
                   const char *message)
{
    srv_log_line_begin(line, atomic_load_explicit(&log->json, memory_order_relaxed), level,
                       message);
}

void srv_log_end(struct srv_log *log, struct srv_log_line *line)
{
    srv_log_line_end(line);
    pthread_mutex_lock(&log->mutex);
    bool was_empty = log->n_filled == 0;
    bool was_half = log->n_filled >= BUFFER_BYTES / 2;
    if (line->n_bytes + MAX_STAMP_BYTES > BUFFER_BYTES - log->n_filled) {
        atomic_fetch_add_explicit(&log->n_dropped, 1, memory_order_relaxed);
    } else {
        log->n_filled += stamp(log, line->is_json, log->filling + log->n_filled);
        memcpy(log->filling + log->n_filled, line->bytes, line->n_bytes);
        log->n_filled += line->n_bytes;
    }
    bool wakes = was_empty || (!was_half && log->n_filled >= BUFFER_BYTES / 2);
    pthread_mutex_unlock(&log->mutex);
    if (wakes) pthread_cond_signal(&log->wake);
}

void srv_log_write(struct srv_log *log, enum srv_log_level level, const char *message,
                   const struct srv_log_field *fields, size_t n_fields)
{
    if (!log || level < srv_log_get_level(log)) return;
    struct srv_log_line line;
    srv_log_begin(log, &line, level, message);
    for (size_t i = 0; i < n_fields; i++) {
        char key[SRV_LOG_KEY_BYTES] = {0};
        memcpy(key, fields[i].key, strnlen(fields[i].key, sizeof key));
        if (fields[i].text)
            srv_log_line_text(&line, key, fields[i].text);
        else
            srv_log_line_number(&line, key, fields[i].number);
    }
    srv_log_end(log, &line);
}

uint64_t srv_log_dropped(struct srv_log *log)
{
    return log ? atomic_load_explicit(&log->n_dropped, memory_order_relaxed) : 0;
}
