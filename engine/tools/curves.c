#include "curves.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PLOT_WIDTH_PX = 380,
    PLOT_HEIGHT_PX = 240,
    LEFT_PX = 64,
    TOP_PX = 66,
    GAP_PX = 84, /* between the two plots */
    RIGHT_PX = 24,
    BOTTOM_PX = 54,
    MAX_DOTS = 30,      /* up to so many epochs each is marked by a dot */
    LOG_ABOVE = 50,     /* losses that differ by more than this factor stand on a log scale */
    LEGEND_WIDTH = 108, /* of an entry */
    KEPT_WIDTH = 142,   /* of the one that says which epoch was kept */
};

enum { N_SERIES = 3 };

static const char *const series_names[N_SERIES] = {"training", "validation", "test"};
static const char *const series_colors[N_SERIES] = {"#0072b2", "#e69f00", "#009e73"};

typedef double value_fn(const struct eng_train_epoch *epoch, size_t series);

static double loss_of(const struct eng_train_epoch *epoch, size_t series)
{
    return series == 0 ? epoch->loss : series == 1 ? epoch->validation_loss : epoch->test_loss;
}

static double accuracy_of(const struct eng_train_epoch *epoch, size_t series)
{
    return 100 * (series == 0   ? epoch->accuracy
                  : series == 1 ? epoch->validation_accuracy
                                : epoch->test_accuracy);
}

struct plot {
    FILE *out;
    const struct eng_train_report *report;
    value_fn *value;
    const char *title, *unit;
    double left; /* of the frame, px */
    bool log;    /* y is log10 of the value */
    struct tool_axis x, y;
};

struct tool_axis tool_axis_fit(double least, double most, int n_marks, double least_step)
{
    static const double factors[] = {1, 2, 5, 10};
    double span = most > least ? most - least : fabs(least) > 0 ? fabs(least) : 1;
    double power = pow(10, floor(log10(span / n_marks))), step = 0;
    struct tool_axis axis = {0};
    for (size_t i = 0; i < 8; i++) {
        step = power * factors[i % 4] * (i < 4 ? 1 : 10);
        if (step < least_step) continue;
        axis = (struct tool_axis){floor(least / step) * step, ceil(most / step) * step, step};
        if (axis.high <= axis.low) axis.high = axis.low + step;
        if ((axis.high - axis.low) / step < n_marks - 0.5) break;
    }
    return axis;
}

static double at_x(const struct plot *p, double epoch)
{
    return p->left + PLOT_WIDTH_PX * (epoch - p->x.low) / (p->x.high - p->x.low);
}

/* What stands on the vertical axis. */
static double height_of(const struct plot *p, const struct eng_train_epoch *epoch, size_t series)
{
    double value = p->value(epoch, series);
    return p->log ? log10(value) : value;
}

static double at_y(const struct plot *p, double value)
{
    return TOP_PX + PLOT_HEIGHT_PX * (1 - (value - p->y.low) / (p->y.high - p->y.low));
}

/* The range of all that was measured. False: nothing was. */
static bool measure(const struct plot *p, double *least, double *most)
{
    bool any = false;
    for (size_t i = 0; i < p->report->n_epochs; i++)
        for (size_t s = 0; s < N_SERIES; s++) {
            double value = p->value(&p->report->epochs[i], s);
            if (!isfinite(value)) continue;
            if (!any || value < *least) *least = value;
            if (!any || value > *most) *most = value;
            any = true;
        }
    return any;
}

static bool has_series(const struct eng_train_report *report, size_t series)
{
    for (size_t i = 0; i < report->n_epochs; i++)
        if (isfinite(loss_of(&report->epochs[i], series))) return true;
    return false;
}

static void draw_marks(const struct plot *p)
{
    for (int i = 0; p->y.low + i * p->y.step <= p->y.high + p->y.step / 2; i++) {
        double value = p->y.low + i * p->y.step, y = at_y(p, value);
        fprintf(p->out, "<line class='grid' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>\n", p->left,
                y, p->left + PLOT_WIDTH_PX, y);
        fprintf(p->out, "<text x='%.1f' y='%.1f' text-anchor='end'>%.6g%s</text>\n", p->left - 8,
                y + 4,
                p->log                        ? pow(10, value)
                : fabs(value) < p->y.step / 2 ? 0
                                              : value,
                p->unit);
    }
    double bottom = TOP_PX + PLOT_HEIGHT_PX;
    for (int i = 0; p->x.low + i * p->x.step <= p->x.high + p->x.step / 2; i++) {
        double epoch = p->x.low + i * p->x.step, x = at_x(p, epoch);
        fprintf(p->out, "<line class='axis' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>\n", x, bottom,
                x, bottom + 5);
        fprintf(p->out, "<text x='%.1f' y='%.1f' text-anchor='middle'>%.6g</text>\n", x,
                bottom + 20, epoch);
    }
}

static void draw_frame(const struct plot *p)
{
    double middle = p->left + PLOT_WIDTH_PX / 2.0, bottom = TOP_PX + PLOT_HEIGHT_PX;
    draw_marks(p);
    fprintf(p->out, "<path class='axis' d='M%.1f %d V%.1f H%.1f'/>\n", p->left, TOP_PX, bottom,
            p->left + PLOT_WIDTH_PX);
    fprintf(p->out, "<text class='title' x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", middle,
            TOP_PX - 12, p->title);
    fprintf(p->out, "<text x='%.1f' y='%.1f' text-anchor='middle'>epoch</text>\n", middle,
            bottom + 42);
}

/* Without early stopping the last epoch is the one, and nobody asks. */
static bool marks_kept(const struct eng_train_report *report)
{
    return report->kept_epoch > 0 && report->kept_epoch < report->n_epochs;
}

static void draw_kept(const struct plot *p)
{
    double x = at_x(p, (double)p->report->kept_epoch);
    fprintf(p->out, "<line class='kept' x1='%.1f' y1='%d' x2='%.1f' y2='%d'/>\n", x, TOP_PX, x,
            TOP_PX + PLOT_HEIGHT_PX);
}

/* The epochs that are drawn: every `every`-th, counted back from the last. */
static size_t thin_out(const struct eng_train_report *report, size_t *first)
{
    size_t every = (report->n_epochs + TOOL_CURVES_MAX_POINTS - 1) / TOOL_CURVES_MAX_POINTS;
    *first = (report->n_epochs - 1) % every;
    return every;
}

static void draw_series(const struct plot *p, size_t series)
{
    const struct eng_train_report *report = p->report;
    size_t first, every = thin_out(report, &first);
    bool pen_down = false;
    fprintf(p->out, "<path class='line' stroke='%s' d='", series_colors[series]);
    for (size_t i = first; i < report->n_epochs; i += every) {
        double value = height_of(p, &report->epochs[i], series);
        if (!isfinite(value)) continue; /* an epoch that was not evaluated: straight on */
        fprintf(p->out, "%c%.1f %.1f ", pen_down ? 'L' : 'M', at_x(p, (double)i + 1),
                at_y(p, value));
        pen_down = true;
    }
    fputs("'/>\n", p->out);
    for (size_t i = 0; i < report->n_epochs && report->n_epochs <= MAX_DOTS; i++) {
        double value = height_of(p, &report->epochs[i], series);
        if (isfinite(value))
            fprintf(p->out, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
                    at_x(p, (double)i + 1), at_y(p, value), series_colors[series]);
    }
}

static void draw_plot(struct plot *p, double least, double most)
{
    double last = (double)p->report->n_epochs;
    p->x = tool_axis_fit(1, last, 8, 1); /* from 0 if the step is more than 1: round marks */
    p->y =
        p->log ? tool_axis_fit(log10(least), log10(most), 6, 1) : tool_axis_fit(least, most, 6, 0);
    draw_frame(p);
    if (marks_kept(p->report)) draw_kept(p);
    for (size_t s = 0; s < N_SERIES; s++)
        if (has_series(p->report, s)) draw_series(p, s);
}

static void write_escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        default: /* a control character has no place in XML */
            fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
        }
}

static void draw_legend(FILE *out, const struct eng_train_report *report, double right)
{
    double x = right;
    for (size_t s = N_SERIES; s-- > 0;) {
        if (!has_series(report, s)) continue;
        x -= LEGEND_WIDTH;
        fprintf(out, "<line class='line' stroke='%s' x1='%.1f' y1='20' x2='%.1f' y2='20'/>\n",
                series_colors[s], x, x + 20);
        fprintf(out, "<text x='%.1f' y='24'>%s</text>\n", x + 26, series_names[s]);
    }
    if (!marks_kept(report)) return;
    x = right - KEPT_WIDTH;
    fprintf(out, "<line class='kept' x1='%.1f' y1='40' x2='%.1f' y2='40'/>\n", x, x + 20);
    fprintf(out, "<text x='%.1f' y='44'>kept: epoch %zu</text>\n", x + 26, report->kept_epoch);
}

static void draw(FILE *out, const struct eng_train_report *report)
{
    bool two = report->n_classes > 0;
    int width = LEFT_PX + PLOT_WIDTH_PX + RIGHT_PX + (two ? GAP_PX + PLOT_WIDTH_PX : 0);
    int height = TOP_PX + PLOT_HEIGHT_PX + BOTTOM_PX;
    double least = 0, most = 1;
    fprintf(
        out,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' "
        "font-family='sans-serif' font-size='13' fill='#333'>\n<style>.grid{stroke:#e5e5e5}"
        ".axis{stroke:#333;fill:none}.line{fill:none;stroke-width:2;stroke-linejoin:round}"
        ".kept{stroke:#333;stroke-dasharray:4 3}.title{font-size:14px;font-weight:bold}</style>\n"
        "<rect width='%d' height='%d' fill='#fff'/>\n<text class='title' x='16' y='24'>",
        width, height, width, height, width, height);
    write_escaped(out, report->name);
    fputs("</text>\n", out);
    draw_legend(out, report, width - RIGHT_PX + 8);
    struct plot loss = {.out = out,
                        .report = report,
                        .value = loss_of,
                        .title = "loss",
                        .unit = "",
                        .left = LEFT_PX};
    if (measure(&loss, &least, &most)) {
        loss.log = least > 0 && most / least > LOG_ABOVE;
        draw_plot(&loss, least < 0 || loss.log ? least : 0, most);
    }
    struct plot accuracy = {.out = out,
                            .report = report,
                            .value = accuracy_of,
                            .title = "accuracy",
                            .unit = " %",
                            .left = LEFT_PX + PLOT_WIDTH_PX + GAP_PX};
    if (two && measure(&accuracy, &least, &most)) draw_plot(&accuracy, least, most);
    fputs("</svg>\n", out);
}

enum eng_status tool_curves_svg(const struct eng_train_report *report, char **svg, size_t *n_bytes,
                                struct eng_error *err)
{
    char *text = NULL;
    size_t n = 0;
    if (report->n_epochs == 0)
        return eng_fail(err, ENG_ARGUMENT, "%s has no epochs to draw curves of", report->name);
    FILE *out = open_memstream(&text, &n);
    if (!out) return eng_fail_memory(err, "the curves");
    draw(out, report);
    int failed = ferror(out);
    if (fclose(out) != 0 || failed) {
        free(text);
        return eng_fail_memory(err, "the curves");
    }
    *svg = text;
    *n_bytes = n;
    return ENG_OK;
}
