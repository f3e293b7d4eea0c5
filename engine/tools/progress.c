#include "progress.h"

#include "base/stopwatch.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_MAX_CHARS = 20, BAR_MIN_CHARS = 5, LINE_BYTES = 256 };

static const double PLAIN_EVERY_S = 10, BAR_EVERY_S = 0.1;

void tool_progress_init(struct tool_progress *progress, FILE *out)
{
    *progress = (struct tool_progress){.out = out, .terminal = isatty(fileno(out)) == 1};
}

double tool_progress_left_s(const struct eng_train_progress *at, double elapsed_s)
{
    double done = (double)((at->epoch - 1 - at->n_resumed) * at->n_steps + at->step);
    double all = (double)((at->n_epochs - at->n_resumed) * at->n_steps);
    return done > 0 ? elapsed_s * (all - done) / done : 0;
}

char *tool_progress_clock(double seconds, char *buf, size_t n)
{
    long long s = seconds > 0 ? (long long)(seconds + 0.5) : 0;
    if (s >= 3600)
        snprintf(buf, n, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buf, n, "%lld:%02lld", s / 60, s % 60);
    return buf;
}

/* A line that is put together piece by piece and cut at its end. */
struct line {
    char text[LINE_BYTES];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->n, sizeof line->text - line->n, format, args);
    va_end(args);
    if (n > 0) line->n += (size_t)n;
    if (line->n > sizeof line->text - 1) line->n = sizeof line->text - 1;
}

/* What was not measured, or has no meaning in a regression, is left out. */
static void add_measures(struct line *line, const char *set, double loss, double accuracy)
{
    bool usual = loss >= 1e-3 && loss < 1e6; /* others would be all zeros, or as long as the line */
    if (!isnan(loss)) add(line, usual ? "  %sloss %.4f" : "  %sloss %.4g", set, loss);
    if (!isnan(accuracy)) add(line, "  %saccuracy %.2f %%", set, 100 * accuracy);
}

static void add_pace(struct line *line, const struct eng_train_progress *at, const char *unit,
                     double elapsed_s)
{
    char left[32];
    tool_progress_clock(tool_progress_left_s(at, elapsed_s), left, sizeof left);
    add(line, "  %.0f%s  %s left", at->samples_per_s, unit, left);
}

static size_t count_columns(const struct tool_progress *p)
{
    struct winsize size;
    if (p->columns > 0) return p->columns;
    bool known = ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

/* "[#####...............]", as long as fits beside n_other characters; "" if that is too short. */
static void draw_bar(char bar[BAR_MAX_CHARS + 4], const struct eng_train_progress *at,
                     size_t columns, size_t n_other)
{
    size_t room = columns > n_other + 4 ? columns - n_other - 4 : 0;
    size_t length = room < BAR_MAX_CHARS ? room : BAR_MAX_CHARS;
    bar[0] = '\0';
    if (length < BAR_MIN_CHARS) return;
    size_t filled = at->step * length / at->n_steps;
    memcpy(bar, " [", 2);
    memset(bar + 2, '.', length);
    memset(bar + 2, '#', filled);
    memcpy(bar + 2 + length, "]", 2);
}

/* "epoch  3/20 [#######.............]  loss 0.0512  accuracy 98.41 %  12345/s  4:05 left";
 * the last column stays free, where some terminals begin a new line. */
static void show_bar(struct tool_progress *p, const struct eng_train_progress *at, double elapsed_s)
{
    struct line epoch = {.n = 0}, rest = {.n = 0}, whole = {.n = 0};
    char bar[BAR_MAX_CHARS + 4];
    size_t columns = count_columns(p);
    add(&epoch, "epoch %3zu/%zu", at->epoch, at->n_epochs);
    add_measures(&rest, "", at->loss, at->accuracy);
    add_pace(&rest, at, "/s", elapsed_s);
    draw_bar(bar, at, columns, epoch.n + rest.n);
    add(&whole, "%s%s%s", epoch.text, bar, rest.text);
    fprintf(p->out, "\r\033[K%.*s", (int)(columns - 1), whole.text);
    fflush(p->out);
    p->line_open = true;
}

static void show_line(struct tool_progress *p, const struct eng_train_progress *at,
                      double elapsed_s)
{
    struct line line = {.n = 0};
    add(&line, "epoch %3zu/%zu", at->epoch, at->n_epochs);
    if (!at->done) add(&line, "  %zu %%", 100 * at->step / at->n_steps);
    add_measures(&line, "", at->loss, at->accuracy);
    if (at->done) {
        add_measures(&line, "validation ", at->done->validation_loss,
                     at->done->validation_accuracy);
        add_measures(&line, "test ", at->done->test_loss, at->done->test_accuracy);
    }
    add_pace(&line, at, " samples/s", elapsed_s);
    fprintf(p->out, "%s%s\n", p->line_open ? "\r\033[K" : "", line.text);
    fflush(p->out);
    p->line_open = false;
}

static void start(struct tool_progress *p, const struct eng_train_progress *at, double now)
{
    /* The first step is over already: count it in. */
    p->start_s = now - (at->samples_per_s > 0 ? (double)at->n_samples / at->samples_per_s : 0);
    p->last_shown_s = p->terminal ? 0 : now;
    p->started = true;
    if (at->n_resumed > 0) fprintf(p->out, "goes on after epoch %zu\n", at->n_resumed);
}

void tool_progress_show(struct tool_progress *progress, const struct eng_train_progress *at)
{
    double now = eng_stopwatch_s();
    if (!progress->started) start(progress, at, now);
    bool due = now - progress->last_shown_s >= (progress->terminal ? BAR_EVERY_S : PLAIN_EVERY_S);
    if (!at->done && !due) return;
    if (at->done || !progress->terminal)
        show_line(progress, at, now - progress->start_s);
    else
        show_bar(progress, at, now - progress->start_s);
    /* The line of an epoch puts off the next plain one, but not the bar. */
    if (!at->done || !progress->terminal) progress->last_shown_s = now;
}

void tool_progress_end(struct tool_progress *progress)
{
    if (progress->line_open) fputc('\n', progress->out);
    progress->line_open = false;
}
