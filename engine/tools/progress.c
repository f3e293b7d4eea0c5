#include "progress.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CHARS = 20 };

void tool_progress_init(struct tool_progress *progress, FILE *out)
{
    *progress = (struct tool_progress){.out = out, .terminal = isatty(fileno(out)) == 1};
}

double tool_progress_left_s(const struct eng_train_progress *at, double elapsed_s)
{
    double done = (double)((at->epoch - 1) * at->n_steps + at->step);
    double all = (double)(at->n_epochs * at->n_steps);
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

/* What a method does not measure is not shown. */
static void print_loss(FILE *out, const char *name, double loss)
{
    if (!isnan(loss)) fprintf(out, "%s %.4f  ", name, loss);
}

static void print_share(FILE *out, const char *name, double share)
{
    if (!isnan(share)) fprintf(out, "%s %.2f %%  ", name, 100 * share);
}

static void print_speed(FILE *out, const struct eng_train_progress *at, double elapsed_s)
{
    char left[32];
    tool_progress_clock(tool_progress_left_s(at, elapsed_s), left, sizeof left);
    fprintf(out, "%.0f samples/s  %s left", at->samples_per_s, left);
}

/* "epoch  3/20 [#######.............] loss 0.0512  accuracy 98.41 %  12345 samples/s  4:05 left" */
static void draw_bar(struct tool_progress *p, const struct eng_train_progress *at, double elapsed_s)
{
    char bar[BAR_CHARS + 1];
    size_t filled = at->step * BAR_CHARS / at->n_steps;
    memset(bar, '.', BAR_CHARS);
    memset(bar, '#', filled);
    bar[BAR_CHARS] = '\0';
    fprintf(p->out, "\r\033[Kepoch %3zu/%zu [%s] ", at->epoch, at->n_epochs, bar);
    print_loss(p->out, "loss", at->loss);
    print_share(p->out, "accuracy", at->accuracy);
    print_speed(p->out, at, elapsed_s);
    fflush(p->out);
    p->line_open = true;
}

static void print_epoch(struct tool_progress *p, const struct eng_train_progress *at,
                        double elapsed_s)
{
    const struct eng_train_epoch *done = at->done;
    fprintf(p->out, "%sepoch %3zu/%zu  ", p->line_open ? "\r\033[K" : "", at->epoch, at->n_epochs);
    print_loss(p->out, "loss", done->loss);
    print_share(p->out, "accuracy", done->accuracy);
    print_loss(p->out, "validation loss", done->validation_loss);
    print_share(p->out, "validation accuracy", done->validation_accuracy);
    print_loss(p->out, "test loss", done->test_loss);
    print_share(p->out, "test accuracy", done->test_accuracy);
    print_speed(p->out, at, elapsed_s);
    fputc('\n', p->out);
    fflush(p->out);
    p->line_open = false;
}

void tool_progress_show(struct tool_progress *progress, const struct eng_train_progress *at)
{
    double now = eng_clock_s();
    if (progress->start_s == 0) /* the first step is over already: count it in */
        progress->start_s =
            now - (at->samples_per_s > 0 ? (double)at->n_samples / at->samples_per_s : 0);
    if (at->done) {
        print_epoch(progress, at, now - progress->start_s);
    } else if (progress->terminal && now - progress->last_shown_s >= 0.1) {
        draw_bar(progress, at, now - progress->start_s);
        progress->last_shown_s = now;
    }
}

void tool_progress_end(struct tool_progress *progress)
{
    if (progress->line_open) fputc('\n', progress->out);
    progress->line_open = false;
}
